"""How settings, measures and numbers are written for readers."""

from __future__ import annotations

import math

from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.record import Record
from trsfnet.experiments.variants import GRID, STABILITY, Variant
from trsfnet.paper.numbers import paper_table

# Between a number and its unit, so that no line ends there.
NBSP = "\u00a0"

_SETTINGS: dict[str, Variant] = {s.key: s for s in (*STABILITY, *GRID)}

TRACKS = {
    "synthetic": "rendered faces",
    "lfw": "Labeled Faces in the Wild",
    "paper": "VGGFace2 or MS1MV2, verified on LFW",
}

# What anyone can run.
PUBLIC_TRACKS = ("synthetic", "lfw")

# What a track's verdict rests on, and what is shown beside it. All pairs of LFW are mostly pairs of one
# person, so there the mean over people decides.
MEASURES = {
    "synthetic": ("tar@1e-3",),
    "lfw": ("tar_by_person@1e-3", "tar@1e-3"),
    "paper": ("tar@1e-3",),
}

MEASURE_NAMES = {
    "tar@1e-3": "TAR@FAR=1e-3",
    "tar_by_person@1e-3": "TAR@FAR=1e-3, mean over people",
}


def setting_name(record: Record) -> str:
    """The paper's name of a record's setting; its slug where the paper has none."""
    known = _SETTINGS.get(record.setting)
    return known.name if known else record.setting


def short_name(setting: str) -> str:
    """`v1 + TRSF + PReLU` for `v1-trsf-prelu`; a slug of no setting of the studies stays."""
    known = _SETTINGS.get(setting)
    return known.name.removeprefix("Inception-ResNet ") if known else setting


def row_name(number: int, setting: str) -> str:
    """How the paper's table `number` names the row of a setting: table 6 by the start of the slopes alone."""
    if number == 6:
        starts = {key: start for start, key in paper_table(6).settings.items()}
        return starts[setting].replace("-", "−")
    # Table 3 says in its caption that the loss is ArcFace's.
    name = _SETTINGS[setting].name.removesuffix(", ArcFace")
    return name.removeprefix("Inception-ResNet ") if number in (4, 5) else name


def percent(share: float) -> str:
    """`12.3 %` for 0.123; a dash for what is not a number."""
    return f"{100 * share:.1f}{NBSP}%" if math.isfinite(share) else "–"


def points(difference: float) -> str:
    """`+1.2` percentage points for 0.012, with a sign that does not break from its number."""
    shown = round(100 * difference, 1)
    return f"{shown:+.1f}".replace("-", "−") if shown else "0.0"


def percent_range(interval: Interval) -> str:
    """The bounds of a share, such as `11.0 to 13.6 %`."""
    # A mean of shares lies within 0 and 1; Student's interval does not know that.
    low, high = max(interval.low, 0.0), min(interval.high, 1.0)
    return f"{100 * low:.1f} to {100 * high:.1f}{NBSP}%"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def capitalised(text: str) -> str:
    """Text that begins a sentence or a heading; names in it keep their capitals."""
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
