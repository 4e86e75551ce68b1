"""A record's numbers, computed again from nothing but its stored scores."""

from __future__ import annotations

import numpy as np

from trsfnet.evaluation import AllPairsResult, AllPairsScores, TenFoldResult, all_pairs, ten_fold
from trsfnet.experiments.record import Record


def from_scores(record: Record, far: float = 1e-3) -> AllPairsResult | TenFoldResult:
    """What the record's protocol gives at `far`."""
    scores = record.scores()
    same = scores.same.to_numpy()
    if record.info["evaluation"]["protocol"] == "all-pairs":
        people = scores[["left_person", "right_person"]].to_numpy()
        impostors = record.info["evaluation"]["results"][0]["impostor_pairs"]
        score = scores.score.to_numpy()
        kept = AllPairsScores(score[same], people[same, 0], score[~same], people[~same], impostors)
        return all_pairs(kept, far)
    # Points on a circle at the angles that have the recorded cosines, and so the recorded distances.
    angle = np.arccos(scores.score.to_numpy(np.float64).clip(-1, 1))
    right = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return ten_fold(np.tile([1.0, 0.0], (len(same), 1)), right, same, far_target=far)
