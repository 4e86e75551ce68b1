"""What runs say, as numbers: tables for pandas, and comparisons, tests, power and verdicts on claims.

    from trsfnet import analysis

    frame = analysis.runs("results", "runs")
    found = analysis.load("results")
    found.campaigns[0].verdicts["trsf-gains"]

Nothing here knows of Markdown or of figures: words and pictures are in `trsfnet.report`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from trsfnet.analysis import frames
from trsfnet.analysis.analysis import Analysis, load

__all__ = ["Analysis", "histories", "load", "parameters", "runs"]


def runs(*roots: str | Path) -> pd.DataFrame:
    """A row per run under `roots`; of equal runs the one under the last root counts.

    Columns: `run_id`, `track`, `variant` (such as `v1-trsf-prelu`), `name` (`v1 + TRSF + PReLU`), `seed`,
    `budget` (empty for none), `status`, `collapse_kind` and `collapse_step` (None for a run that did not
    collapse), `epochs_done`, `seconds`, `started`, `stale` (why, or empty), `path`; then each final metric as
    a share in 0..1, such as `tar@1e-3`, and each setting of the configuration.

    Raises:
        RecordError: there is no such folder.
    """
    return load(*roots).frame


def histories(*roots: str | Path) -> pd.DataFrame:
    """A row per run and finished epoch, in order.

    Columns: those that tell runs apart (`run_id`, `track`, `variant`, `name`, `seed`, `budget`), `epoch` from
    1, `step`, `learning_rate`, `loss` in nats, `train_accuracy` and metrics as shares in 0..1.

    Raises:
        RecordError: there is no such folder.
    """
    return frames.histories_frame(load(*roots).runs)


def parameters(*roots: str | Path) -> pd.DataFrame:
    """A row per run, epoch and module: what was learned, and what was measured of the branches.

    Columns: those that tell runs apart, `epoch` (0 is the start), `module`, `value`, and `kind`: `trsf`,
    `slope`, `ratio` or `kernel`. A module with a factor per channel counts with their mean.

    Raises:
        RecordError: there is no such folder.
    """
    return frames.parameters_frame(load(*roots).runs)
