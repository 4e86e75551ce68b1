"""What a scale means: with the kernel that it multiplies, and by what the branch adds to its trunk."""

from trsfnet.report.meaning.conclusion import scale_claims, verdict
from trsfnet.report.meaning.figures import final_ratios, over_training, same_product
from trsfnet.report.meaning.tables import changes, gains

__all__ = [
    "changes",
    "final_ratios",
    "gains",
    "over_training",
    "same_product",
    "scale_claims",
    "verdict",
]
