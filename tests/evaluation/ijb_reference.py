"""IJB's protocols as slow plain loops in double precision: what the fast versions are checked against."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from trsfnet.data.ijb_meta import People, TemplatePairs, Templates


def pool(
    features: np.ndarray, templates: Templates, mirrored: np.ndarray | None, norm: bool, detector: bool
) -> np.ndarray:
    """Template by template, medium by medium."""
    pooled = []
    for template in range(len(templates.ids)):
        media: dict[int, list[np.ndarray]] = {}
        for image in range(len(templates.rows)):
            if templates.rows[image] == template:
                feature = features[image].astype(float)
                if mirrored is not None:
                    feature = feature + mirrored[image]
                if not norm:
                    feature = feature / math.sqrt(sum(x * x for x in feature))
                if detector:
                    feature = feature * float(templates.detector_scores[image])
                media.setdefault(int(templates.media[image]), []).append(feature)
        total = sum(sum(frames) / len(frames) for frames in media.values())
        pooled.append(total / math.sqrt(sum(x * x for x in total)))
    return np.array(pooled)


def scores(pooled: np.ndarray, pairs: TemplatePairs) -> np.ndarray:
    return np.array(
        [
            sum(a * b for a, b in zip(pooled[left], pooled[right], strict=True))
            for left, right in zip(pairs.left, pairs.right, strict=True)
        ]
    )


def tar(scores: np.ndarray, same: np.ndarray, far: float) -> float:
    """The largest share of genuine pairs accepted by any threshold that keeps to the FAR."""
    best = Fraction(0)
    impostors = sum(1 for label in same if not label)
    for threshold in scores:
        genuine = false = 0
        for score, label in zip(scores, same, strict=True):
            if score >= threshold:
                genuine, false = (genuine + 1, false) if label else (genuine, false + 1)
        if Fraction(false, impostors) <= Fraction(str(far)):
            best = max(best, Fraction(genuine, len(same) - impostors))
    return float(best)


def tar_insightface(scores: np.ndarray, same: np.ndarray, far: float) -> float:
    """TAR at the nearest point of the ROC curve without the points on its straight stretches."""
    points: list[tuple[int, int]] = []
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = [label for score, label in zip(scores, same, strict=True) if score >= threshold]
        points.append((len(chosen) - sum(chosen), sum(chosen)))
    corners = [
        here
        for i, here in enumerate(points)
        if i in (0, len(points) - 1)
        or (here[0] - points[i - 1][0], here[1] - points[i - 1][1])
        != (points[i + 1][0] - here[0], points[i + 1][1] - here[1])
    ]
    impostors, genuines = points[-1]
    nearest = min([(0, 0), *corners], key=lambda p: (abs(p[0] / impostors - far), -p[0], -p[1]))
    return nearest[1] / genuines


def open_set(
    pooled: np.ndarray, gallery: People, probes: People, ranks: tuple[int, ...], fpir: float
) -> tuple[dict[int, int], int, float, float]:
    """(hits by rank, searches for people in the gallery, TPIR, insightface's TPIR) in one gallery."""
    hits = dict.fromkeys(ranks, 0)
    mated, alarms = [], []
    for probe, subject in zip(probes.rows, probes.subjects, strict=True):
        right, wrong = None, []
        for row, enrolled in zip(gallery.rows, gallery.subjects, strict=True):
            score = float(pooled[probe] @ pooled[row])
            if enrolled == subject:
                right = score
            else:
                wrong.append(score)
        if right is None:
            alarms.append(max(wrong))
            continue
        mated.append((right, max(wrong)))
        for rank in ranks:
            hits[rank] += sum(score >= right for score in wrong) < rank
    alarms.sort(reverse=True)

    def identified(threshold: float, strict: bool) -> float:
        return sum(
            right > wrong and (right > threshold or (not strict and right == threshold))
            for right, wrong in mated
        ) / len(mated)

    allowed = Fraction(str(fpir)) * len(alarms)
    candidates = [right for right, _ in mated]
    exact = max(
        [identified(t, False) for t in candidates if sum(alarm >= t for alarm in alarms) <= allowed],
        default=0.0,
    )
    return hits, len(mated), exact, identified(alarms[max(int(len(alarms) * fpir) - 1, 0)], True)


def closed_set(
    pooled: np.ndarray, galleries: tuple[People, People], probes: People, ranks: tuple[int, ...], rate: float
) -> tuple[dict[int, float], float]:
    """(share of hits by rank, recall) in the joined galleries."""
    enrolled = [pair for g in galleries for pair in zip(g.rows, g.subjects, strict=True)]
    hits = dict.fromkeys(ranks, 0)
    rights, wrongs = [], []
    for probe, subject in zip(probes.rows, probes.subjects, strict=True):
        others = [float(pooled[probe] @ pooled[row]) for row, person in enrolled if person != subject]
        (right,) = (float(pooled[probe] @ pooled[row]) for row, person in enrolled if person == subject)
        for rank in ranks:
            hits[rank] += sum(score >= right for score in others) < rank
        rights.append(right)
        wrongs += others
    threshold = sorted(wrongs, reverse=True)[math.ceil(rate * len(rights)) - 1]
    share = {rank: count / len(rights) for rank, count in hits.items()}
    return share, sum(right > threshold for right in rights) / len(rights)
