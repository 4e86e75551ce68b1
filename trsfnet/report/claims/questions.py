"""The paper's subject as questions, each with the claims that answer it, the most direct one first."""

from __future__ import annotations

QUESTIONS = {
    "Does TRSF raise the accuracy?": ("trsf-gains", "trsf-gains-1.24", "trsf-gains-with-arcface"),
    "Do Leaky ReLU and PReLU raise it?": ("both-activations-gain", "prelu-gains-0.82", "learned-beats-set"),
    "Do TRSF and PReLU together raise it?": ("trsf-prelu-gains", "joint-gains-further", "step-by-step"),
    "Does the initial slope matter?": ("sensitive-to-start", "start-0.25-best"),
    "Does training converge faster?": (
        "converges-faster",
        "converges-faster-by-validation",
        "trsf-converges-faster",
        "prelu-converges-faster",
    ),
    "Is training more stable?": (
        "no-crash",
        "trainable-more-stable",
        "trainable-more-stable-than-equal-constant",
        "small-start-stable",
        "large-constant-diverges",
    ),
    "Do the scales grow to about 1?": ("scales-around-1", "scales-grow", "scales-settle"),
    "Do the branches matter more?": ("branches-matter-more", "order-of-magnitude"),
    "Do slopes turn negative?": (
        "slopes-turn-negative",
        "trsf-turns-slopes-negative",
    ),
}
