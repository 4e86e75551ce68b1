"""What is measured on each track: the metrics of its records that verdicts rest on."""

from __future__ import annotations

# What anyone can run.
PUBLIC_TRACKS = ("synthetic", "lfw")

PAPER_TRACK = "paper"

# What a track's verdict rests on, and what is shown next to it. All pairs of LFW are mostly pairs of one
# person, so there the mean over people decides.
MEASURES = {
    "synthetic": ("tar@1e-3",),
    "lfw": ("tar_by_person@1e-3", "tar@1e-3"),
    PAPER_TRACK: ("tar@1e-3",),
}
