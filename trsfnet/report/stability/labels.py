"""How the variants of the study are called, and its questions."""

from __future__ import annotations

from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.fewer_collapses import FewerCollapses
from trsfnet.experiments.variants import Variant
from trsfnet.models.inception_resnet import ARCHITECTURES, PAPER_SCALE

# What a scale is: a constant, or trained, one for a block or one for a channel of it.
KINDS = ("Constant", "Trainable, one per block", "Trainable, one per channel")
# Trainable scales that others proposed: SkipInit and ReZero start one a block at 0, LayerScale one a channel
# near it.
_RELATIVES = {(1, 0.0): " (SkipInit, ReZero)", (1, PAPER_SCALE): " (TRSF)", (2, PAPER_SCALE): " (LayerScale)"}

# The questions of the study, and the claims whose verdicts answer them.
QUESTIONS = {
    "Does a small constant prevent collapse, compared with a constant of 1?": "large-constant-diverges",
    "Does a small initial value of a trainable scale prevent it, compared with 1?": "small-start-stable",
    "Does training the scale prevent it, unlike a constant 0.1?": "trainable-more-stable-than-equal-constant",
    "Does TRSF prevent it, compared with the constants of the original network?": "trainable-more-stable",
}


def pairs(claim: str) -> list[tuple[str, str]]:
    """The variants that a question's claim compares, in pairs."""
    rule = paper_rules()[claim]
    assert isinstance(rule, FewerCollapses)
    return rule.pairs


def kind(variant: Variant) -> int:
    """Index of what its scales are, in `KINDS`."""
    return 2 if variant.trsf_per_channel else int(variant.trsf)


def start(variant: Variant) -> float | None:
    """Where its scales start or stay; None for facenet's constants, which differ between stages."""
    return PAPER_SCALE if variant.trsf and variant.scale_init is None else variant.scale_init


def label(variant: Variant) -> str:
    """The variant within its kind, such as `from 0.1 (TRSF)`."""
    value = start(variant)
    if value is None:
        network = ARCHITECTURES[variant.arch]
        scales = (stage.scale for stage in (network.block35, network.block17, network.block8))
        return f"{', '.join(f'{scale:g}' for scale in scales)} (facenet)"
    return f"{'from ' if variant.trsf else ''}{value:g}{_RELATIVES.get((kind(variant), value), '')}"
