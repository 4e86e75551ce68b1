"""Results of an evaluation with confidence intervals, in one form for every protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from trsfnet.evaluation.bootstrap import Scores, intervals, people_known
from trsfnet.evaluation.identification import ClosedSetResult, OpenSetResult
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.statistics import Interval, wilson

PEOPLE, WILSON = "people", "wilson"


@dataclass(frozen=True)
class Estimate:
    """A share and its 95 % confidence interval.

    Attributes:
        name: name of the metric, such as `tar@1e-3` or `rank 5`.
        value: the share, from 0 to 1.
        low: lower bound; None without an interval.
        high: upper bound; None without an interval.
        method: `people` for resampling people, also if there are too few for an interval; `wilson` for
            Wilson's interval, which assumes independent trials; None for metrics that have no interval.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    method: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the fields by name."""
        return asdict(self)


def of_pairs(scores: Scores) -> list[Estimate]:
    """Return every verification metric, with intervals from resampling people if the people are known."""
    if people_known(scores):
        found, method = intervals(scores), PEOPLE
    else:
        found, method = {n: wilson(int(s.sum()), len(s)) for n, s in scores.successes().items()}, WILSON
    return [_estimate(name, value, found[name], method) for name, value in scores.metrics().items()]


def of_open_set(result: OpenSetResult) -> list[Estimate]:
    """Return ranks as counts of searches; TPIR, a mean over two galleries, has no interval."""
    tpir = {f"tpir@{far_name(row.fpir_target)}": row for row in result.tpir}
    return [
        *_ranks(result.rank, sum(result.mated)),
        *(Estimate(name, row.tpir) for name, row in tpir.items()),
        *(Estimate(f"{name} insightface", row.tpir_insightface) for name, row in tpir.items()),
    ]


def of_closed_set(result: ClosedSetResult) -> list[Estimate]:
    """Return ranks and recalls, both as counts of searches."""
    shares = {f"recall@{far_name(rate)}": share for rate, share in result.recall.items()}
    return [*_ranks(result.rank, result.searches), *_counts(shares, result.searches)]


def _ranks(shares: Mapping[int, float], searches: int) -> list[Estimate]:
    return _counts({f"rank {rank}": share for rank, share in shares.items()}, searches)


def _counts(shares: Mapping[str, float], trials: int) -> list[Estimate]:
    return [
        _estimate(name, share, wilson(round(share * trials), trials), WILSON)
        for name, share in shares.items()
    ]


def _estimate(name: str, value: float, interval: Interval | None, method: str) -> Estimate:
    if interval is None:
        return Estimate(name, value, method=method)
    return Estimate(name, value, interval.low, interval.high, method)
