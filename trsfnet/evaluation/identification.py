"""1:N identification of templates: searching the galleries of IJB-B and IJB-C for each probe.

Two protocols are published under the same name, both in insightface, and their results are not comparable:

- `open_set`, the protocol of NIST and of the papers (insightface's `ijb_evals.py`): each gallery is searched
  separately, so that probes of people in the other gallery must match nobody; results are averaged over the
  two galleries.
- `closed_set` (insightface's `ijb_1n.py`): both galleries are joined into one that contains everyone.

A search is a hit at rank k if fewer than k others score at least as high as the right person: ties are
misses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from trsfnet.data.ijb_meta import People, Searches
from trsfnet.errors import ConfigError
from trsfnet.evaluation.rates import allowed

RANKS = (1, 5, 10)
FPIRS = (1e-2, 1e-1)

# Number of probes searched for at a time; this bounds the memory used for scores.
_BLOCK = 2048


@dataclass(frozen=True)
class TpirAtFpir:
    """Open-set identification at one false alarm rate, averaged over the galleries.

    Attributes:
        fpir_target: false positive identification rate: share of searches for people outside the gallery that
            return somebody.
        tpir: true positive identification rate: share of searches for people in the gallery whose best match
            is right and scores above a threshold at which `fpir_target` is not exceeded.
        tpir_insightface: TPIR at insightface's threshold, which is the score of the last false alarm allowed
            (or of the first if none is allowed), and so permits one false alarm fewer.
    """

    fpir_target: float
    tpir: float
    tpir_insightface: float


@dataclass(frozen=True)
class OpenSetResult:
    """Results of open-set identification in both galleries.

    Attributes:
        rank: by rank, share of searches for people in the gallery that are hits, pooled over both galleries.
        tpir: TPIR at each FPIR.
        mated: for each gallery, number of searches for people in it.
        unmated: for each gallery, number of searches for people not in it.
    """

    rank: dict[int, float]
    tpir: tuple[TpirAtFpir, ...]
    mated: tuple[int, ...]
    unmated: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the fields by name, for a run record."""
        return asdict(self)


@dataclass(frozen=True)
class ClosedSetResult:
    """Results of closed-set identification in the joined galleries.

    Attributes:
        rank: by rank, share of searches that are hits.
        recall: by rate, share of searches in which the right person scores above a threshold. The threshold
            is set so that the number of scores of wrong people at or above it, over all searches, is this
            share of the number of searches.
        searches: number of probes.
        enrolled: number of people in the joined galleries.
    """

    rank: dict[int, float]
    recall: dict[float, float]
    searches: int
    enrolled: int

    def to_dict(self) -> dict[str, object]:
        """Return the fields by name, for a run record."""
        return asdict(self)


def open_set(
    pooled: np.ndarray, searches: Searches, *, ranks: Sequence[int] = RANKS, fpirs: Sequence[float] = FPIRS
) -> OpenSetResult:
    """Search each gallery separately for every probe.

    Args:
        pooled: float32 [T, D], template features of unit length.
        searches: probes and galleries, given as rows of `pooled`.
        ranks: ranks at which hits are counted.
        fpirs: false positive identification rates, at least 0 and below 1.

    Raises:
        ConfigError: if one of the galleries contains none or all of the people searched for, or if a rate is
            out of range.
    """
    _check_rates(fpirs)
    all_ahead, at_fpir, mated, unmated = [], [], [], []
    for number, gallery in enumerate(searches.galleries, start=1):
        found = _search(pooled, gallery, searches.probes)
        inside = found.mate >= 0
        if inside.all() or not inside.any():
            raise ConfigError(
                f"Open-set identification needs probes of people inside and outside gallery {number}."
            )
        right, ahead = found.right[inside], found.ahead[inside]
        # For a probe outside the gallery, everyone enrolled is a wrong answer.
        alarms = np.sort(found.wrong[~inside])[::-1]
        rows = []
        for fpir in fpirs:
            exact = alarms[min(int(allowed(fpir, len(alarms))), len(alarms) - 1)]
            insightface = alarms[max(int(fpir * len(alarms)) - 1, 0)]
            rows.append([np.mean((ahead == 0) & (right > threshold)) for threshold in (exact, insightface)])
        all_ahead.append(ahead)
        at_fpir.append(rows)
        mated.append(len(right))
        unmated.append(len(alarms))
    means = np.mean(at_fpir, axis=0)
    return OpenSetResult(
        rank=_hits(np.concatenate(all_ahead), ranks),
        tpir=tuple(TpirAtFpir(fpir, *row) for fpir, row in zip(fpirs, means.tolist(), strict=True)),
        mated=tuple(mated),
        unmated=tuple(unmated),
    )


def closed_set(
    pooled: np.ndarray, searches: Searches, *, ranks: Sequence[int] = RANKS, rates: Sequence[float] = FPIRS
) -> ClosedSetResult:
    """Search the two galleries, joined into one, for every probe.

    Args:
        pooled: float32 [T, D], template features of unit length.
        searches: probes and galleries, given as rows of `pooled`.
        ranks: ranks at which hits are counted.
        rates: wrong matches at or above the threshold per search, above 0 and below 1.

    Raises:
        ConfigError: if a probe's subject is in neither gallery, fewer people are enrolled than the rates
            require, or a rate is out of range.
    """
    _check_rates(rates)
    first, second = searches.galleries
    joined = People(
        np.concatenate([first.rows, second.rows]), np.concatenate([first.subjects, second.subjects])
    )
    probes = searches.probes
    count = max(math.ceil(rate * len(probes.rows)) for rate in rates)
    found = _search(pooled, joined, probes, keep=count)
    if (found.mate < 0).any():
        missing = probes.subjects[np.argmax(found.mate < 0)]
        raise ConfigError(
            f"Closed-set identification needs everyone to be enrolled, but subject {missing} is not."
        )
    wrong = np.sort(found.top_wrong)[::-1]
    if len(wrong) < count:
        raise ConfigError(
            f"Closed-set identification at these rates needs more than {len(joined.rows)} enrolled people."
        )
    thresholds = {rate: wrong[max(math.ceil(rate * len(probes.rows)) - 1, 0)] for rate in rates}
    return ClosedSetResult(
        rank=_hits(found.ahead, ranks),
        recall={rate: float(np.mean(found.right > threshold)) for rate, threshold in thresholds.items()},
        searches=len(probes.rows),
        enrolled=len(joined.rows),
    )


@dataclass(frozen=True)
class _Found:
    """Results of searching a gallery for R probes.

    Attributes:
        mate: int [R], position of each probe's subject in the gallery; -1 if absent.
        right: [R], score of that subject; minus infinity if absent.
        ahead: int [R], number of others that score at least as high.
        wrong: [R], highest score of the others.
        top_wrong: the highest scores of others over all searches.
    """

    mate: np.ndarray
    right: np.ndarray
    ahead: np.ndarray
    wrong: np.ndarray
    top_wrong: np.ndarray


def _search(pooled: np.ndarray, gallery: People, probes: People, keep: int = 0) -> _Found:
    """Score every probe against everyone in the gallery, keeping the `keep` highest wrong scores overall."""
    if not np.isfinite(pooled).all():
        raise ConfigError("Identification needs finite features.")
    order = np.argsort(gallery.subjects)
    place = np.searchsorted(gallery.subjects, probes.subjects, sorter=order)
    mate = order[np.minimum(place, len(order) - 1)]
    mate = np.where(gallery.subjects[mate] == probes.subjects, mate, -1)
    # Sums in float64, rounded to float32, as in `score_templates`: equal templates have equal scores in any
    # place, so that ties do not depend on rounding.
    enrolled = pooled[gallery.rows].T.astype(np.float64)
    right, wrong = np.empty((2, len(mate)), np.float32)
    ahead = np.empty(len(mate), int)
    top = np.empty(0, np.float32)
    for start in range(0, len(mate), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores = (pooled[probes.rows[block]].astype(np.float64) @ enrolled).astype(np.float32)
        inside = np.flatnonzero(mate[block] >= 0)
        own = mate[block][inside]
        right[block] = -np.inf
        right[block][inside] = scores[inside, own]
        scores[inside, own] = -np.inf
        ahead[block] = (scores >= right[block, None]).sum(axis=1)
        wrong[block] = scores.max(axis=1)
        if keep:
            top = np.concatenate([top, scores[scores > -np.inf]])
            top = np.partition(top, len(top) - keep)[len(top) - keep :] if len(top) > keep else top
    return _Found(mate, right, ahead, wrong, top)


def _hits(ahead: np.ndarray, ranks: Sequence[int]) -> dict[int, float]:
    return {rank: float(np.mean(ahead < rank)) for rank in ranks}


def _check_rates(rates: Sequence[float]) -> None:
    if not rates or not all(0 <= rate < 1 for rate in rates):
        raise ConfigError(f"Rates of false alarms must be at least 0 and below 1, got {list(rates)}.")
