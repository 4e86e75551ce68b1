"""A record's numbers, computed again from nothing but its stored scores."""

from __future__ import annotations

from trsfnet.evaluation import AllPairsResult, TenFoldResult, read_scores
from trsfnet.experiments.record import Record


def from_scores(record: Record, far: float = 1e-3) -> AllPairsResult | TenFoldResult:
    """What the record's protocol gives at `far`."""
    impostor_pairs = record.info["evaluation"]["results"][0].get("impostor_pairs")
    return read_scores(record.scores(), impostor_pairs=impostor_pairs).result(far)
