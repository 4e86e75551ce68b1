"""The metrics on which the verdicts of each track and budget are based."""

from __future__ import annotations

from trsfnet.experiments.budgets import LONG_STUDIES

# The tracks that anyone can run.
PUBLIC_TRACKS = ("synthetic", "lfw")

PAPER_TRACK = "paper"

# For each track, the metric that decides, followed by those shown next to it. If all pairs of LFW are formed,
# most same-person pairs belong to a single person, so there the mean over people decides.
MEASURES = {
    "synthetic": ("tar@1e-3",),
    "lfw": ("tar_by_person@1e-3", "tar@1e-3"),
    PAPER_TRACK: ("tar@1e-3",),
}

# In the ten folds of 600 pairs, 3 impostors set the threshold of FAR 1e-3, which alone adds 6.7 points
# of noise. Budgets whose runs also form all pairs of the test people, more than a million, use those.
_ALL_PAIRS = ("all_pairs_tar@1e-3", "tar@1e-3")
_WITH_ALL_PAIRS = ("full", *LONG_STUDIES, "collapse", "width", "width-narrow")
_OF_BUDGETS = {("synthetic", budget): _ALL_PAIRS for budget in _WITH_ALL_PAIRS} | {
    # The small networks of this study reach too little TAR at FAR 1e-3.
    ("synthetic", "mechanism"): ("all_pairs_tar@1e-2", "all_pairs_tar@1e-3"),
}


def measures(track: str, budget: str | None) -> tuple[str, ...]:
    """Return the metric that decides for runs of a budget on a track, followed by those shown next to it."""
    return _OF_BUDGETS.get((track, budget or ""), MEASURES[track])
