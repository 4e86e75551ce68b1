"""The metrics on which the verdicts of each track are based."""

from __future__ import annotations

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
