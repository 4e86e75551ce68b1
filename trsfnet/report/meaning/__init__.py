"""What a scale means: beside the kernel that it multiplies, and by what the branch adds to its trunk."""

from trsfnet.report.meaning.figures import final_ratios, over_training, same_product
from trsfnet.report.meaning.tables import changes, gains
from trsfnet.report.meaning.verdict import claims_table, verdict

__all__ = [
    "changes",
    "claims_table",
    "final_ratios",
    "gains",
    "over_training",
    "same_product",
    "verdict",
]
