"""Numerical results of runs: pandas tables, comparisons, tests, power and verdicts on the paper's claims.

    from trsfnet import analysis

    frame = analysis.runs("results", "runs")
    found = analysis.load("results")
    found.campaigns[0].verdicts["trsf-gains"]

This package contains no Markdown and no figures; text and plots are made by `trsfnet.report`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from trsfnet.analysis import frames
from trsfnet.analysis.analysis import Analysis, load

__all__ = ["Analysis", "histories", "load", "parameters", "runs"]


def runs(*roots: str | Path) -> pd.DataFrame:
    """Return a table with one row per run under `roots`.

    If a run exists under several roots, the one under the last root is used.

    Columns: `run_id`, `track`, `variant` (such as `v1-trsf-prelu`), `name` (`v1 + TRSF + PReLU`), `seed`,
    `budget` (empty if the run matches none), `status`, `collapse_kind` and `collapse_step` (None if the run
    did not collapse), `epochs_done`, `seconds`, `started`, `stale` (the reason, or empty), `path`; then each
    final metric as a share in 0..1, such as `tar@1e-3`, and each setting of the configuration.

    Raises:
        RecordError: a folder does not exist.
    """
    return load(*roots).frame


def histories(*roots: str | Path) -> pd.DataFrame:
    """Return a table with one row per run and finished epoch, in order.

    Columns: those that identify the run (`run_id`, `track`, `variant`, `name`, `seed`, `budget`), `epoch`
    (from 1), `step`, `learning_rate`, `loss` in nats, `train_accuracy` and metrics as shares in 0..1,
    `gradient_norm`, `images_per_second`, `seconds`, and, with held-out images, `held_out_loss` in nats and
    `held_out_accuracy` in 0..1.

    Raises:
        RecordError: a folder does not exist.
    """
    return frames.histories_frame(load(*roots).runs)


def parameters(*roots: str | Path) -> pd.DataFrame:
    """Return the learned parameters and branch measurements, one row per run, epoch and module.

    Columns: those that identify the run, `epoch` (0 is before training), `module`, `value`, and `kind`:
    `trsf`, `slope`, `ratio`, `kernel` or `bias`, and for the study of weight decay and scales also `dead`,
    `zeros`, `cosine`, `rank` (see `trsfnet.models.diagnostics`), `rescaled_loss` and `rescaled_loss_running`
    (by factor on all scales, in nats). For a module with one factor per channel, the value is their mean.

    Raises:
        RecordError: a folder does not exist.
    """
    return frames.parameters_frame(load(*roots).runs)
