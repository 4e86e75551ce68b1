"""The page on the length of training: what long training does to scales, kernels and branches."""

from __future__ import annotations

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.length import LONG, LONG_USUAL_DECAY
from trsfnet.experiments.variants import short_name
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.mechanism import answers_table
from trsfnet.text import percent

_NOTHING = "No long run has finished yet."
_STUDIES = {LONG: "paper's decay budget", LONG_USUAL_DECAY: "usual weight decay"}
_QUESTIONS = {
    "outgrow": (
        "With TRSF and PReLU at the paper's decay budget, do the scales grow more than the branches?",
        "all three factors above 1: growth of the scale over growth of the ratio",
    ),
    "decay": (
        "At equal length, do the scales end larger with the paper's decay budget than with a fifth of it?",
        "factor above 1",
    ),
    "shrink": (
        "At equal length, do the branches add less with the paper's decay budget than with a fifth of it?",
        "all three factors below 1",
    ),
    "constants": (
        "At the paper's decay budget, do branches add more with TRSF than with constants, both with PReLU?",
        "all three factors above 1",
    ),
}


def questions(found: Analysis) -> Markdown:
    """Tabulate the questions of the studies with their rules, the measured effects and the answers."""
    return answers_table(found.length_answers, _QUESTIONS, "table-length-questions") or Markdown(_NOTHING)


def ends_table(found: Analysis) -> Markdown:
    """Tabulate scales, kernels and branches before and after long training, as means over seeds."""
    runs = found.length
    if runs.empty:
        return Markdown(_NOTHING)
    groups = {
        (study, variant): runs[(runs["study"] == study) & (runs["variant"] == variant)]
        for study in _STUDIES
        for variant in dict.fromkeys(runs["variant"])
    }
    rows = [
        _row(short_name(variant), _STUDIES[study], group)
        for (study, variant), group in groups.items()
        if len(group)
    ]
    header = (
        "Variant",
        "Decay",
        "Scale",
        "‖W‖",
        "Ratio, mean",
        "Geometric mean",
        "Median",
        "Negative slopes",
        "TAR at FAR 1e-3",
        "Seeds",
    )
    caption = (
        "Scales, kernels and branches before and after long training: means over seeds. ‖W‖ is the geometric "
        "mean of the norms of the kernels under the scales; the ratio is ‖branch‖ / ‖trunk‖."
    )
    return Markdown(captioned(caption, "table-length-ends", table(header, rows)))


def _row(variant: str, decay: str, runs: pd.DataFrame) -> tuple[str, ...]:
    means = runs.mean(numeric_only=True)
    slopes = means["negative_slopes"]
    return (
        variant,
        decay,
        *(_from_to(means, name) for name in ("scale", "kernel", "ratio", "ratio_geometric", "ratio_median")),
        "–" if pd.isna(slopes) else percent(slopes),
        percent(means["tar"]),
        str(len(runs)),
    )


def _from_to(means: pd.Series, name: str) -> str:
    if pd.isna(means[name]):
        return "–"
    return f"{means[f'{name}_start']:.2g} → {means[name]:.2g}"
