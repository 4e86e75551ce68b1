"""What long training does to scales and branches: the studies `long` and `long-usual-decay`.

Both train v1 over a fifth of the paper's travel: `long` at the paper's decay budget, `long-usual-decay` with
the usual weight decay, which gives a fifth of that budget. Their questions are:

- `outgrow`: with TRSF and PReLU at the paper's decay budget, does the mean scale grow more from start to end
  than what the branches add to their trunk?
- `decay`: at equal length, do the scales end larger with the paper's decay budget than with a fifth of it?
- `shrink`: at equal length, do the branches add less with the paper's decay budget than with a fifth of it?
- `constants`: at the paper's decay budget, do the branches add more with TRSF than with facenet's constants,
  both with PReLU?

All effects are factors, paired by seed. Those on branches are given by the arithmetic mean, the geometric
mean and the median over modules. A question is answered if the 95 % intervals of all its factors lie on the
same side of 1.

These rules were fixed before any of the runs had ended. Of one run, `long` with TRSF and PReLU and seed 50,
the first 31 of 100 epochs were known: its mean scale was 0.96, and its mean ratio had grown. That a question
needs three seeds, as a claim does, was added when two seeds were known; it withdrew the answer to `outgrow`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.analysis.averages import compared_modules, geometric_mean
from trsfnet.analysis.mechanism import RATIOS, Answer, Effects, answer_from, factor, ratio_averages
from trsfnet.analysis.reach import run_regime
from trsfnet.analysis.run import Run, latest
from trsfnet.experiments.budgets import LONG_STUDIES

LONG, LONG_USUAL_DECAY = LONG_STUDIES
BOTH, SLOPES, BASELINE = "v1-trsf-prelu", "v1-prelu", "v1-relu"
_COURSE = ("scale", "kernel", "ratio")


def long_runs(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a table with one row per finished run of the two studies.

    Returns:
        A table with the columns `study`, `variant`, `seed`, `travel` and `decay_budget` of the schedule,
        `negative_slopes` (the final share of slopes below 0; NaN without any), `tar` (TAR at FAR 1e-3 over
        all pairs), and, before training with the suffix `_start` and after it without:

        - `scale`, `signed_scale`: mean magnitude and mean of the trainable scales; NaN without any.
        - `kernel`: geometric mean over modules of the norm of the kernel that the scale multiplies.
        - `ratio`, `ratio_geometric`, `ratio_median`: ratio of the norms of branch and trunk: arithmetic mean,
          geometric mean and median over modules.

        Of runs that differ only in precision, the one started last. Empty if there are no such runs.
    """
    rows = [_row(run) for run in _finished(runs)]
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).sort_values(["study", "variant", "seed"], ignore_index=True)


def _finished(runs: Iterable[Run]) -> list[Run]:
    ended = [run for run in runs if run.done and run.budget in LONG_STUDIES]
    return latest(ended, lambda run: (run.budget, run.variant, run.seed))


def _row(run: Run) -> dict[str, Any]:
    found = run_regime(run)
    slopes = run.learned["slope"].iloc[-1] if "slope" in run.learned else pd.Series(dtype=float)
    epochs = run.learned["ratio"].index
    start = {f"{name}_start": value for name, value in _branches(run, epochs[0]).items()}
    return {
        "study": run.budget,
        "variant": run.variant,
        "seed": run.seed,
        "travel": found.travel,
        "decay_budget": found.decay_budget,
        "negative_slopes": (slopes < 0).mean() if len(slopes) else np.nan,
        "tar": run.metrics[run.measures[0]],
        **start,
        **_branches(run, epochs[-1]),
    }


def _branches(run: Run, epoch: int) -> dict[str, float]:
    """Return scale, kernel and ratios after an epoch."""
    modules = compared_modules(run.config["arch"])
    kernels, ratios = (run.learned[kind].loc[epoch].to_numpy()[:modules] for kind in ("kernel", "ratio"))
    scales = run.learned["trsf"].loc[epoch].to_numpy() if "trsf" in run.learned else np.array([np.nan])
    return {
        "scale": float(np.abs(scales).mean()),
        "signed_scale": float(scales.mean()),
        "kernel": float(geometric_mean(kernels)),
        **ratio_averages(pd.Series(ratios)),
    }


def courses(runs: Iterable[Run]) -> dict[str, list[pd.DataFrame]]:
    """Return how scale, kernel and ratio change in each finished run with TRSF and PReLU, by study.

    Returns:
        Tables with one row per epoch, from 0, and the columns `scale` (mean magnitude), `kernel` (geometric
        mean of the norms of the kernels that the scales multiply) and `ratio` (mean of branch over trunk),
        all divided by their values at epoch 0. A study without such a run is left out.
    """
    found: dict[str, list[pd.DataFrame]] = {}
    for run in _finished(runs):
        if run.variant == BOTH:
            epochs = run.learned["ratio"].index
            table = pd.DataFrame([_branches(run, epoch) for epoch in epochs], epochs)
            found.setdefault(str(run.budget), []).append(table[list(_COURSE)] / table[list(_COURSE)].iloc[0])
    return found


def answers(runs: pd.DataFrame) -> list[Answer]:
    """Answer the questions of the studies, given the table of `long_runs`; empty without runs."""
    if runs.empty:
        return []
    both, usual, slopes = (
        select(runs, study, variant).set_index("seed")
        for study, variant in ((LONG, BOTH), (LONG_USUAL_DECAY, BOTH), (LONG, SLOPES))
    )
    grown = both["scale"] / both["scale_start"]
    outgrow = {f"over_{name}": factor(both[name] / both[f"{name}_start"], grown) for name in RATIOS}
    return [
        answer_from("outgrow", outgrow, above=True),
        answer_from("decay", {"scale": factor(usual["scale"], both["scale"])}, above=True),
        answer_from("shrink", _ratios(usual, both), above=False),
        answer_from("constants", _ratios(slopes, both), above=True),
    ]


def growth(runs: pd.DataFrame, quantity: str) -> float:
    """Return the factor by which a quantity grows from start to end, as a geometric mean over runs.

    Args:
        runs: rows of the table of `long_runs`.
        quantity: a column with a value before training, such as `scale`.
    """
    return float(geometric_mean(runs[quantity] / runs[f"{quantity}_start"]))


def select(runs: pd.DataFrame, study: str, variant: str) -> pd.DataFrame:
    """Return the rows of the table of `long_runs` that belong to a variant of a study."""
    return runs[(runs["study"] == study) & (runs["variant"] == variant)]


def _ratios(first: pd.DataFrame, second: pd.DataFrame) -> Effects:
    return {name: factor(first[name], second[name]) for name in RATIOS}
