"""What a scale means, in view of the kernel that it multiplies and of the branch relative to its trunk.

The trunk is the value to which a residual module adds its branch.
"""

from trsfnet.report.meaning.conclusion import answer, scale_claims, verdict
from trsfnet.report.meaning.controls import (
    start_and_training,
    start_and_training_of_branches,
    training_alone,
)
from trsfnet.report.meaning.figures import final_ratios, over_training, same_product
from trsfnet.report.meaning.tables import changes, gains

__all__ = [
    "answer",
    "changes",
    "final_ratios",
    "gains",
    "over_training",
    "same_product",
    "scale_claims",
    "start_and_training",
    "start_and_training_of_branches",
    "training_alone",
    "verdict",
]
