"""Names of the study's variants, and its questions."""

from __future__ import annotations

from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.fewer_collapses import FewerCollapses
from trsfnet.experiments.variants import Variant
from trsfnet.models.inception_resnet import ARCHITECTURES, PAPER_SCALE

# The kinds of scale: constant, trainable per module, or trainable per channel.
KINDS = ("Constant", "Trainable, one per module", "Trainable, one per channel")
# Published proposals of trainable scales by kind and initial value: SkipInit and ReZero have one scale per
# module that starts at 0, LayerScale has one per channel that starts near 0.
_RELATIVES = {(1, 0.0): " (SkipInit, ReZero)", (1, PAPER_SCALE): " (TRSF)", (2, PAPER_SCALE): " (LayerScale)"}

# The study's questions, each with the claim whose verdict answers it.
QUESTIONS = {
    "Does a small constant prevent collapse, compared with a constant of 1?": "large-constant-diverges",
    "Does a small initial value of a trainable scale prevent it, compared with 1?": "small-start-stable",
    "Does training the scale prevent it, unlike a constant 0.1?": "trainable-more-stable-than-equal-constant",
    "Does TRSF prevent it, compared with the constants of the original network?": "trainable-more-stable",
}


def pairs(claim: str) -> list[tuple[str, str]]:
    """Return the pairs of variants that a question's claim compares."""
    rule = paper_rules()[claim]
    assert isinstance(rule, FewerCollapses)
    return rule.pairs


def kind(variant: Variant) -> int:
    """Return the index in `KINDS` of the variant's kind of scale."""
    return 2 if variant.trsf_per_channel else int(variant.trsf)


def start(variant: Variant) -> float | None:
    """Return the variant's initial or constant scale; None for facenet's constants, which differ by stage."""
    return PAPER_SCALE if variant.trsf and variant.scale_init is None else variant.scale_init


def label(variant: Variant) -> str:
    """Return the name of a variant within its kind, such as `from 0.1 (TRSF)`."""
    value = start(variant)
    if value is None:
        network = ARCHITECTURES[variant.arch]
        scales = (stage.scale for stage in (network.block35, network.block17, network.block8))
        return f"{', '.join(f'{scale:g}' for scale in scales)} (facenet)"
    return f"{'from ' if variant.trsf else ''}{value:g}{_RELATIVES.get((kind(variant), value), '')}"
