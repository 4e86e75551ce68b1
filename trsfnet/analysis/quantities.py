"""The quantities that claims refer to: how each is measured in a run, its description and its unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from trsfnet.analysis.averages import MEANS, compared_modules
from trsfnet.analysis.run import Run
from trsfnet.analysis.units import (
    COUNT,
    EPOCHS,
    FACTOR,
    NUMBER,
    POINTS,
    SHARE,
    SIGNED_COUNT,
    SIGNED_EPOCHS,
    SIGNED_NUMBER,
    TIMES,
    Unit,
)
from trsfnet.paper.numbers import paper_figure, paper_table

Measure = Callable[[Run], float | None]

# The spread over seeds is assumed equal for variants with the same network and loss. The spread of scales and
# branches also depends on whether scales are trained, per module or channel, and on their initial value.
# Claims on the initial slopes of table 6 assume nothing of this kind (`Pooling.NONE`).
_NETWORK = ("arch", "loss")
_SCALES = (*_NETWORK, "trsf", "trsf_per_channel", "scale_init", "fixed_scales")


def _unpublished() -> Mapping[str, float]:
    """Return no published numbers; `dict` would do, but the API reference cannot link to its source."""
    return {}


@dataclass(frozen=True)
class Quantity:
    """A number measured in every finished run, or in certain kinds of runs.

    Attributes:
        name: its name in the rules of claims.
        subject: heading of the claims about it.
        description: a phrase that describes it, for use within a sentence.
        measure: returns its value in a run; None if the run has none.
        unit: format of a value.
        difference: format of a difference.
        pooled_by: the settings in which runs must agree for their spread over seeds to be pooled.
        published: returns the paper's own values by variant.
        published_digits: number of additional digits shown for the paper's values.
        paper_only: True if only the paper's own data provide it.
        is_bound: returns whether a run's value is only a lower bound.
        label: name of the mean if there are several variants of the quantity, one per kind of mean.
    """

    name: str
    subject: str
    description: str
    measure: Measure
    unit: Unit = SHARE
    difference: Unit = POINTS
    pooled_by: tuple[str, ...] = _NETWORK
    published: Callable[[], Mapping[str, float]] = _unpublished
    published_digits: int = 1
    paper_only: bool = False
    is_bound: Callable[[Run], bool] = lambda _: False
    label: str = ""

    @property
    def moves_with_schedule(self) -> bool:
        """True if it is known to depend on decay budget or travel, as scales, branches and slopes do."""
        return self.subject in (_SCALE, _SLOPE, _BRANCHES)


def _tar(run: Run) -> float | None:
    return run.metrics.get(run.measures[0])


def _final(kind: str, measure: Callable[[np.ndarray], float]) -> Measure:
    """Return a measure computed from the final values of all modules."""

    def value(run: Run) -> float | None:
        table = run.learned.get(kind)
        return None if table is None else float(measure(table.iloc[-1].to_numpy(float)))

    return value


def _late_change(kind: str) -> Measure:
    """Return a measure of the mean change in the last tenth of the epochs, relative to the mean magnitude.

    At least one epoch is used. Parameters stop changing as the learning rate approaches zero, so the change
    is rescaled to the run's mean learning rate.
    """

    def value(run: Run) -> float | None:
        table = run.learned.get(kind)
        if table is None or len(table) < 3 or run.history.empty:  # needs the initial values and two epochs
            return None
        values = table.to_numpy(float)
        late = max(1, round((len(values) - 1) / 10))
        ends = np.concatenate([[run.learning_rate], run.history["learning_rate"]])
        rates = (ends[1:] + ends[:-1]) / 2  # mean rate of each epoch
        magnitude, slowed = np.abs(values[-1]).mean(), rates[-late:].mean() / rates.mean()
        if not magnitude or not slowed:
            return None
        return float(np.abs(values[-1] - values[-1 - late]).mean() / magnitude / slowed)

    return value


def _log_ratio(mean: Callable[[np.ndarray], float]) -> Measure:
    """Return a measure of log10 of a mean over the compared modules of the final residual ratios."""

    def value(run: Run) -> float | None:
        table = run.learned.get("ratio")
        if table is None:
            return None
        ratios = table.iloc[-1].to_numpy(float)[: compared_modules(run.config["arch"])]
        return float(np.log10(mean(ratios))) if (ratios > 0).all() else None

    return value


def _epochs_to_half(run: Run) -> float | None:
    """Return the epochs until training accuracy reaches one half, interpolated between epochs.

    For a run that never reaches it, this is the number of all epochs, a lower bound.
    """
    if run.history.empty:
        return None
    epochs = np.concatenate([[0.0], run.history["epoch"]])
    shares = np.concatenate([[0.0], run.history["train_accuracy"]])
    reached = int(np.argmax(shares >= 0.5))
    if not reached:
        # Omitting such a run would ignore the slowest ones and bias the mean.
        return float(epochs[-1])
    between = slice(reached - 1, reached + 1)
    return float(np.interp(0.5, shares[between], epochs[between]))


def _epochs_to_half_validation(run: Run) -> float | None:
    """Return the epochs until the track's TAR first reaches half its final value, interpolated."""
    name = run.measures[0]
    if run.history.empty or name not in run.history:
        return None
    values = np.concatenate([[0.0], run.history[name].to_numpy(float)])
    if not values[-1] > 0:
        return None
    epochs = np.concatenate([[0.0], run.history["epoch"]])
    reached = int(np.argmax(values >= values[-1] / 2))
    between = slice(reached - 1, reached + 1)
    return float(np.interp(values[-1] / 2, values[between], epochs[between]))


def _never_half(run: Run) -> bool:
    return not run.history.empty and not (run.history["train_accuracy"] >= 0.5).any()


def _cells(*tables: int) -> Callable[[], Mapping[str, float]]:
    return lambda: {s: v for number in tables for s, v in paper_table(number).by_variant.items()}


def _shares_negative() -> Mapping[str, float]:
    cells = paper_figure(9).cells | paper_figure(10).cells
    return {s: signs["negative"] / sum(signs.values()) for s, signs in cells.items()}


_LATE = "the last tenth of the epochs (one at least), at the run's mean learning rate"
_ACCURACY, _SCALE, _SLOPE = "Accuracy", "Residual scales", "Slopes of PReLU"
_BRANCHES = "The role of the branches"

QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("tar", _ACCURACY, "TAR at FAR 1e-3", _tar, published=_cells(1, 2, 3, 6)),
        Quantity(
            "ijbb_tar@1e-4",
            _ACCURACY,
            "TAR at FAR 1e-4 on IJB-B",
            lambda run: run.metrics.get("ijbb_tar@1e-4"),
            paper_only=True,
        ),
        Quantity(
            "epochs_to_half",
            "Speed of convergence",
            "epochs until half of the training images are classified correctly (the total number of epochs "
            "for runs that never reach this)",
            _epochs_to_half,
            EPOCHS,
            SIGNED_EPOCHS,
            is_bound=_never_half,
        ),
        Quantity(
            "epochs_to_half_validation",
            "Speed of convergence",
            "epochs until TAR at FAR 1e-3 on unseen people reaches half of its final value",
            _epochs_to_half_validation,
            EPOCHS,
            SIGNED_EPOCHS,
        ),
        Quantity(
            "scale_magnitude",
            _SCALE,
            "the mean magnitude of the network's scales",
            _final("trsf", lambda x: np.abs(x).mean()),
            NUMBER,
            SIGNED_NUMBER,
            _SCALES,
            _cells(4, 5),
        ),
        Quantity(
            "scale_smallest",
            _SCALE,
            "the smallest magnitude of the network's scales",
            _final("trsf", lambda x: np.abs(x).min()),
            NUMBER,
            SIGNED_NUMBER,
            _SCALES,
        ),
        Quantity(
            "scale_variation",
            _SCALE,
            "the standard deviation of the magnitudes of the scales over their mean",
            _final("trsf", lambda x: np.abs(x).std() / np.abs(x).mean()),
            NUMBER,
            SIGNED_NUMBER,
            _SCALES,
        ),
        Quantity(
            "scale_share_0.6_to_1.3",
            _SCALE,
            "the share of scales of a magnitude between 0.6 and 1.3",
            _final("trsf", lambda x: ((np.abs(x) >= 0.6) & (np.abs(x) <= 1.3)).mean()),
            pooled_by=_SCALES,
        ),
        Quantity(
            "scale_late_change",
            _SCALE,
            f"the change of the scales over {_LATE}, over their magnitude",
            _late_change("trsf"),
            pooled_by=_SCALES,
        ),
        *(
            Quantity(
                f"ratio_{name}",
                _BRANCHES,
                "the residual ratio, the norm of the branch over that of the trunk",
                _log_ratio(mean),
                FACTOR,
                TIMES,
                _SCALES,
                label="median" if name == "median" else f"{name} mean",
            )
            for name, mean in MEANS.items()
        ),
        Quantity(
            "slopes_negative",
            _SLOPE,
            "how many slopes are negative",
            _final("slope", lambda x: (x < 0).sum()),
            COUNT,
            SIGNED_COUNT,
            published_digits=0,
        ),
        Quantity(
            "slope_share_negative",
            _SLOPE,
            "the share of negative slopes",
            _final("slope", lambda x: (x < 0).mean()),
            published=_shares_negative,
            published_digits=0,
        ),
        Quantity(
            "slope_late_change",
            _SLOPE,
            f"the change of the slopes over {_LATE}, over their magnitude",
            _late_change("slope"),
            published_digits=0,
        ),
    )
}

SIGNED_SCALE = Quantity(
    "scale_signed",
    _SCALE,
    "the mean of the network's scales with their signs",
    _final("trsf", lambda x: x.mean()),
    NUMBER,
    SIGNED_NUMBER,
    _SCALES,
)
"""What the paper reports in tables 4 and 5. It decides nothing, because the kernel can absorb the sign."""
