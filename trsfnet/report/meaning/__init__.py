"""What a scale means, judged by the kernel that it multiplies and by the branch's share in the sum."""

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
