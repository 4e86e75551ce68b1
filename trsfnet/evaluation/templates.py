"""1:1 verification of templates, the IJB-B and IJB-C way: images to media to templates to scores to TAR.

The method is Whitelam et al., "IARPA Janus Benchmark-B", CVPR Workshops 2017, in the form that insightface
gave it (`recognition/_evaluation_/ijb/ijb_11.py`), with which the numbers in the literature are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

from trsfnet.data.ijb_meta import TemplatePairs, Templates
from trsfnet.errors import ConfigError

FARS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class TarAtFar:
    """TAR at one FAR, read in two ways.

    With 8,000,000 impostor pairs and FAR 1e-6 eight may be accepted, and the readings can differ: the first
    keeps to the target, the second takes the nearest point of the curve, on either side.

    Attributes:
        far_target: the false accept rate asked for.
        tar: share of same-person pairs that score above `threshold`.
        far: share of other pairs that do, at most `far_target`.
        threshold: the lowest score at which this holds.
        tar_insightface: true accept rate at the point of scikit-learn's ROC curve whose false accept rate
            is nearest to the target; the largest if several are.
        far_insightface: the false accept rate there.
        genuine_pairs: number of same-person pairs.
        impostor_pairs: number of other pairs.
    """

    far_target: float
    tar: float
    far: float
    threshold: float
    tar_insightface: float
    far_insightface: float
    genuine_pairs: int
    impostor_pairs: int

    def to_dict(self) -> dict[str, float]:
        """The fields by name, for a run record."""
        return asdict(self)


def pool(
    features: np.ndarray,
    templates: Templates,
    *,
    mirrored: np.ndarray | None = None,
    use_norm_score: bool = True,
    use_detector_score: bool = True,
) -> np.ndarray:
    """One feature for each template: the sum over its media of the mean over their images.

    Args:
        features: float [N, D], embeddings of the images as the network gives them, not normalised; a
            memory-mapped file will do.
        templates: which image belongs where.
        mirrored: [N, D], embeddings of the mirrored images, to be added to the others; insightface's
            `use_flip_test` (F2).
        use_norm_score: let longer embeddings weigh more (N1), or bring all to length 1 (N0). The sense is
            that of `ijb_11.py`; in `ijb_evals.py` the same flag means the opposite.
        use_detector_score: weigh each image by its detector score (D1).

    Returns:
        float32 [T, D], rows of unit length; a template whose features cancel out is 0.

    Raises:
        ConfigError: the shapes do not agree, or a feature is not a finite number.
    """
    images = len(templates.rows)
    if (
        features.ndim != 2
        or len(features) != images
        or (mirrored is not None and mirrored.shape != features.shape)
    ):
        shapes = " and ".join(str(x.shape) for x in (features, mirrored) if x is not None)
        raise ConfigError(f"pool needs one row of features for each of {images} images, got {shapes}.")
    order = np.lexsort((templates.media, templates.rows))
    rows, media = templates.rows[order], templates.media[order]
    new = (np.diff(rows, prepend=-1) != 0) | (np.diff(media, prepend=media[0]) != 0)
    medium = np.cumsum(new) - 1
    weights = 1 / np.bincount(medium)[medium]
    if use_detector_score:
        weights *= templates.detector_scores[order]
    if not use_norm_score:
        weights /= _norms(features, mirrored)[order]
    starts = np.searchsorted(rows, np.arange(len(templates.ids) + 1))
    matrix = sparse.csr_array(
        (weights.astype(np.float32), order.astype(np.int32), starts.astype(np.int32)),
        shape=(len(templates.ids), images),
    )
    pooled = matrix @ features
    if mirrored is not None:
        pooled += matrix @ mirrored
    lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        template = templates.ids[np.argmin(np.isfinite(lengths))]
        raise ConfigError(f"The features of template {template} are not finite numbers.")
    return (pooled / np.where(lengths == 0, 1, lengths)).astype(np.float32, copy=False)


def _norms(features: np.ndarray, mirrored: np.ndarray | None) -> np.ndarray:
    """Length of each image's feature, 1 for those of length 0."""
    norms = np.empty(len(features))
    for start in range(0, len(features), 8192):
        block = slice(start, start + 8192)
        both = features[block] if mirrored is None else features[block] + mirrored[block]
        norms[block] = np.linalg.norm(both, axis=1)
    return np.where(norms == 0, 1, norms)


def score_templates(pooled: np.ndarray, pairs: TemplatePairs) -> np.ndarray:
    """Cosine similarity of each pair of templates.

    Pairs share templates: IJB-B's 8,010,270 are 42 % of the products of 1,845 templates with 10,270. One
    matrix product of all with all is many times faster than a product of gathered rows.

    Args:
        pooled: float32 [T, D], rows of unit length.
        pairs: pairs of rows.

    Returns:
        float32 [P]; the same bits for (a, b) as for (b, a).
    """
    scores = np.empty(len(pairs.left), np.float32)
    left, row_of = _used(pairs.left, len(pooled))
    right, column_of = _used(pairs.right, len(pooled))
    others = pooled[right].T
    for start in range(0, len(left), _BLOCK):
        products = pooled[left[start : start + _BLOCK]] @ others
        for first in range(0, len(scores), _BATCH):
            batch = slice(first, first + _BATCH)
            row = row_of[pairs.left[batch]] - start
            place = row * len(right) + column_of[pairs.right[batch]]
            found = products.ravel().take(place, mode="clip")
            np.copyto(scores[batch], found, where=(row >= 0) & (row < len(products)))
    _make_symmetric(scores, pairs, len(pooled))
    return scores


def _make_symmetric(scores: np.ndarray, pairs: TemplatePairs, count: int) -> None:
    """Give (b, a) the score of (a, b), where a < b and both are there: a product's last bit may differ.

    Otherwise it would depend on the order of a pair which of two equal scores comes first, and the point of
    the curve that is nearest to a FAR with it.
    """
    both = np.intersect1d(pairs.left, pairs.right)
    turned = np.flatnonzero((pairs.left > pairs.right) & _among(both, count)[pairs.left])
    turned = turned[_among(both, count)[pairs.right[turned]]]
    if not len(turned):
        return
    straight = np.flatnonzero(pairs.left < pairs.right)
    keys = pairs.left[straight].astype(np.int64) * count + pairs.right[straight]
    order = np.argsort(keys, kind="stable")
    wanted = pairs.right[turned].astype(np.int64) * count + pairs.left[turned]
    place = np.searchsorted(keys, wanted, sorter=order).clip(max=max(len(keys) - 1, 0))
    if len(keys):
        twin = order[place]
        there = keys[twin] == wanted
        scores[turned[there]] = scores[straight[twin[there]]]


def _among(rows: np.ndarray, count: int) -> np.ndarray:
    """Bool [count], which of all rows are among `rows`."""
    found = np.zeros(count, bool)
    found[rows] = True
    return found


# Templates whose products with all others are held at a time (320 MB for IJB-C), and pairs looked up at once.
_BLOCK, _BATCH = 4096, 2**19


def _used(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The templates that occur in `rows`, ascending, and for each of all `count` its place among them."""
    used = np.zeros(count, bool)
    used[rows] = True
    return np.flatnonzero(used), np.cumsum(used) - 1


def tar_at_fars(scores: np.ndarray, same: np.ndarray, fars: Sequence[float] = FARS) -> list[TarAtFar]:
    """TAR at each of `fars`.

    Args:
        scores: float [P], higher for likelier pairs.
        same: bool [P].
        fars: false accept rates, at least 0 and below 1.

    Raises:
        ConfigError: there is no pair of one of the two kinds, a score is not a number, or a FAR is out of
            range.
    """
    genuine, impostor = scores[same], scores[~same]
    pairs = len(impostor)
    if not len(genuine) or not pairs:
        raise ConfigError("Verification needs same-person pairs and different-person pairs.")
    if not np.isfinite(scores).all():
        raise ConfigError("Verification needs finite scores.")
    if not fars or not all(0 <= far < 1 for far in fars):
        raise ConfigError(f"FARs must be at least 0 and below 1, got {list(fars)}.")
    # The curve begins at FAR 0, so that no point beyond twice a target is nearest to it. With what equals the
    # last score kept, the points up to there are exact.
    keep = min(pairs, int(2 * max(fars) * pairs) + 2)
    last = np.partition(impostor, pairs - keep)[pairs - keep]
    top = np.sort(impostor[impostor >= last])[::-1]
    curve_far, curve_tar = _curve(genuine, top, pairs)
    results = []
    for far in fars:
        # Rounding must not cost a pair: 0.29 * 100 is below 29.
        threshold = top[min(int(far * pairs + 1e-6), pairs - 1)]
        nearest = int(np.argmin(np.abs(curve_far - far)))
        results.append(
            TarAtFar(
                far_target=far,
                tar=float(np.mean(genuine > threshold)),
                far=int(np.searchsorted(-top, -threshold, side="left")) / pairs,
                threshold=float(threshold),
                tar_insightface=float(curve_tar[nearest]),
                far_insightface=float(curve_far[nearest]),
                genuine_pairs=len(genuine),
                impostor_pairs=pairs,
            )
        )
    return results


def _curve(genuine: np.ndarray, top: np.ndarray, impostor_pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """(FAR, TAR) of the points of scikit-learn's ROC curve, highest first.

    It leaves out points on straight lines, which moves the nearest one: insightface's numbers depend on it.
    """
    from sklearn.metrics import roc_curve  # here, so that training need not wait for it

    labels = np.repeat([True, False], [len(genuine), len(top)])
    far, tar, _ = roc_curve(labels, np.concatenate([genuine, top]))
    accepted = np.rint(far * len(top))
    return accepted[::-1] / impostor_pairs, tar[::-1]
