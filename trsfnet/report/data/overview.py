"""Tables of the tracks and of the training schedules."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

from trsfnet.analysis.measures import PUBLIC_TRACKS, measures
from trsfnet.analysis.regimes import regimes
from trsfnet.data.tracks import synthetic
from trsfnet.experiments.budgets import BUDGETS, is_study
from trsfnet.report.data import lfw
from trsfnet.report.data.paper import MS1MV2, VGGFACE2
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import TRACKS, measure_name, short_track
from trsfnet.text import NBSP, joined
from trsfnet.training.config import track_defaults


def tracks() -> Markdown:
    """Tabulate the training and test data of each track with default settings, and what it requires."""
    rendered = track_defaults("synthetic")
    faces = rendered["identities"] * rendered["images_per_identity"]
    others = synthetic.FOLDS * synthetic.TEST_IDENTITIES_PER_FOLD
    # The synthetic track follows LFW's protocol, so the number of pairs is the same.
    pairs = synthetic.FOLDS * synthetic.PAIRS_PER_FOLD * 2
    learned, verified = lfw.learned(), lfw.verified()
    every_pair = (int(verified.same_pairs.sum()) + verified.different_pairs) / 1e6
    rendered_pairs = math.comb(others * synthetic.TEST_IMAGES, 2) / 1e6
    rows = [
        (
            "[`synthetic`](data_synthetic.ipynb)",
            f"{rendered['identities']:,} rendered people, {faces:,} images",
            f"{others:,} others, {pairs:,} pairs in ten folds or all {rendered_pairs:.1f}{NBSP}million pairs",
            "nothing",
        ),
        (
            "[`lfw`](data_lfw.ipynb)",
            f"{len(learned.images):,} people of LFW, {learned.images.sum():,} images",
            f"{len(verified.images):,} others, all {every_pair:.1f}{NBSP}million pairs",
            "LFW, which is public",
        ),
        (
            "[`paper`](data_paper.ipynb)",
            f"VGGFace2 ({VGGFACE2.people:,} people, {VGGFACE2.images / 1e6:.1f}{NBSP}million images) or "
            f"MS1MV2 ({MS1MV2.people:,} people, {MS1MV2.images / 1e6:.1f}{NBSP}million images)",
            f"LFW's own {pairs:,} pairs in ten folds",
            "data sets that have been withdrawn",
        ),
    ]
    header = ("Track", "Learns from", "Verifies", "Needs")
    caption = f"The three tracks with their default settings. Verdicts rest on these measures: {_deciding()}."
    return Markdown(captioned(caption, "tracks", table(header, rows)))


def _deciding() -> str:
    """Return which measure decides on each public track, by the budgets for which it does."""
    clauses = []
    for track in PUBLIC_TRACKS:
        budgets: dict[str, list[str]] = {}
        for budget, settings in BUDGETS.items():
            if track in settings and not is_study(budget):
                budgets.setdefault(measures(track, budget)[0], []).append(f"`{budget}`")
        # One measure for all budgets needs no list of them.
        of_budgets = [
            f"*{measure_name(measure)}*" + (f" with {joined(names)}" if len(budgets) > 1 else "")
            for measure, names in budgets.items()
        ]
        clauses.append(f"on {short_track(track)}, {joined(of_budgets)}")
    return "; ".join(clauses)


_REGIMES = (
    "How far each schedule can move scales and slopes. Passes are those over the training images. A cosine "
    "ends at 0; constant rates fall in steps, as in the paper. Studies that vary the "
    "learning rate or the weight decay are shown with their lowest and highest values. The paper prints a "
    "weight decay of 0.9, which we read as the momentum; the usual 0.0005 is assumed."
)
_SCHEDULES = {"cosine": "cosine", "staircase": "constant rates", "milestones": "constant rates"}
_PAPERS = {"vggface2": "The paper, VGGFace2", "ms1mv2": "The paper, MS1MV2"}


def schedules() -> Markdown:
    """Tabulate the schedules of the paper and of all our budgets with their travel and decay budget."""
    rows = [_schedule(row) for row in regimes().to_dict("records")]
    header = (
        "Budget",
        "People",
        "Images",
        "Steps",
        "Passes",
        "Schedule",
        "Learning rate",
        "Weight decay",
        "Travel τ",
        "Decay budget κ",
    )
    body = table(header, rows)
    return Markdown(captioned(_REGIMES, "table-regimes", body))


def _schedule(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    papers = {"vggface2": VGGFACE2, "ms1mv2": MS1MV2}.get(row["budget"])
    people, images = (papers.people, papers.images) if papers else (row["people"], row["images"])
    return (
        _PAPERS[row["budget"]] if papers else f"`{row['budget']}`, {TRACKS[row['track']]}",
        f"{people:,}",
        f"{images:,}",
        f"{row['steps']:,}",
        f"{row['steps'] * row['batch_size'] / images:.1f}",
        _SCHEDULES[row["schedule"]],
        f"{row['learning_rate']:g}",
        f"{row['weight_decay']:g}",
        f"{row['travel']:,.0f}",
        f"{row['decay_budget']:.3g}",
    )
