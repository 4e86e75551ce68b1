"""1:1 verification of templates as in IJB-B and IJB-C: images, media, templates, scores, TAR.

The method is that of Whitelam et al., "IARPA Janus Benchmark-B", CVPR Workshops 2017, as implemented by
insightface (`recognition/_evaluation_/ijb/ijb_11.py`), which produced the results in the literature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

from trsfnet.data.ijb_meta import TemplatePairs, Templates
from trsfnet.errors import ConfigError
from trsfnet.evaluation.rates import allowed

FARS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class TarAtFar:
    """TAR at one FAR under two definitions.

    With 8,000,000 impostor pairs and a FAR of 1e-6, eight may be accepted, and the definitions can differ:
    the first never exceeds the target, whereas the second uses the nearest point of the curve on either side.

    Attributes:
        far_target: target false accept rate.
        tar: share of same-person pairs that score above `threshold`.
        far: share of different-person pairs that score above `threshold`, at most `far_target`.
        threshold: the lowest score at which this holds.
        tar_insightface: true accept rate at the point of scikit-learn's ROC curve whose false accept rate is
            nearest to the target; the largest if there are several.
        far_insightface: false accept rate at that point.
        genuine_pairs: number of same-person pairs.
        impostor_pairs: number of different-person pairs.
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
        """Return the fields by name, for a run record."""
        return asdict(self)


def pool(
    features: np.ndarray,
    templates: Templates,
    *,
    mirrored: np.ndarray | None = None,
    use_norm_score: bool = True,
    use_detector_score: bool = True,
) -> np.ndarray:
    """Pool features into one per template: the sum over its media of the mean over each medium's images.

    Args:
        features: float [N, D], embeddings of the images as output by the network, not normalised; may be a
            memory-mapped array.
        templates: the template and medium of each image.
        mirrored: [N, D], embeddings of the mirror images, which are added to the others; insightface's
            `use_flip_test` (F2).
        use_norm_score: let longer embeddings weigh more (N1) instead of scaling all to unit length (N0). The
            flag has the meaning of `ijb_11.py`; in `ijb_evals.py` it has the opposite meaning.
        use_detector_score: weight each image by its detector score (D1).

    Returns:
        float32 [T, D], rows of unit length; zeros for a template whose features cancel out.

    Raises:
        ConfigError: if the shapes disagree, or the features of a template are not finite.
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
    """Return the length of each image's feature, with 1 for zero features."""
    norms = np.empty(len(features))
    for start in range(0, len(features), 8192):
        block = slice(start, start + 8192)
        both = features[block] if mirrored is None else features[block] + mirrored[block]
        norms[block] = np.linalg.norm(both, axis=1)
    return np.where(norms == 0, 1, norms)


def score_templates(pooled: np.ndarray, pairs: TemplatePairs) -> np.ndarray:
    """Compute the cosine similarity of each template pair.

    Pairs share templates: IJB-B's 8,010,270 pairs are 42 % of the products of 1,845 templates with 10,270. A
    single matrix product of all with all is many times faster than products of gathered rows.

    Args:
        pooled: float32 [T, D], rows of unit length.
        pairs: pairs of rows.

    Returns:
        float32 [P], rounded from float64. In float32, the last bit of a product depends on its place in
        the matrix: (a, b) and (b, a), or pairs of equal templates, would differ, and rounding would decide
        which of them comes first and which point of the curve is nearest to a FAR.
    """
    scores = np.empty(len(pairs.left), np.float32)
    left, row_of = _used(pairs.left, len(pooled))
    right, column_of = _used(pairs.right, len(pooled))
    others = pooled[right].T.astype(np.float64)
    for start in range(0, len(left), _BLOCK):
        products = (pooled[left[start : start + _BLOCK]].astype(np.float64) @ others).astype(np.float32)
        for first in range(0, len(scores), _BATCH):
            batch = slice(first, first + _BATCH)
            row = row_of[pairs.left[batch]] - start
            place = row * len(right) + column_of[pairs.right[batch]]
            found = products.ravel().take(place, mode="clip")
            np.copyto(scores[batch], found, where=(row >= 0) & (row < len(products)))
    return scores


# Number of templates whose products with all others are held at a time (480 MB for IJB-C), and number of
# pairs looked up at a time.
_BLOCK, _BATCH = 2048, 2**19


def _used(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the templates in `rows`, ascending, and the position of each template among them."""
    used = np.zeros(count, bool)
    used[rows] = True
    return np.flatnonzero(used), np.cumsum(used) - 1


def tar_at_fars(scores: np.ndarray, same: np.ndarray, fars: Sequence[float] = FARS) -> list[TarAtFar]:
    """Compute TAR at each of `fars`.

    Args:
        scores: float [P], higher for pairs more likely to show the same person.
        same: bool [P], True for same-person pairs.
        fars: false accept rates, at least 0 and below 1.

    Raises:
        ConfigError: if there are no same-person pairs or no different-person pairs, a score is not finite, or
            a FAR is out of range.
    """
    genuine, impostor = scores[same], scores[~same]
    pairs = len(impostor)
    if not len(genuine) or not pairs:
        raise ConfigError("Verification needs same-person pairs and different-person pairs.")
    if not np.isfinite(scores).all():
        raise ConfigError("Verification needs finite scores.")
    if not fars or not all(0 <= far < 1 for far in fars):
        raise ConfigError(f"FARs must be at least 0 and below 1, got {list(fars)}.")
    # The curve starts at FAR 0, so the point nearest to a target is never beyond twice the target. Including
    # scores equal to the last one kept makes all points up to there exact.
    keep = min(pairs, int(2 * max(fars) * pairs) + 2)
    last = np.partition(impostor, pairs - keep)[pairs - keep]
    top = np.sort(impostor[impostor >= last])[::-1]
    curve_far, curve_tar = _curve(genuine, top, pairs)
    results = []
    for far in fars:
        threshold = top[min(int(allowed(far, pairs)), pairs - 1)]
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
    """Return FAR and TAR of the points of scikit-learn's ROC curve, highest first.

    scikit-learn drops points on straight lines, which changes the nearest point: insightface's results depend
    on it.
    """
    from sklearn.metrics import roc_curve  # imported here so that training need not wait for it

    labels = np.repeat([True, False], [len(genuine), len(top)])
    far, tar, _ = roc_curve(labels, np.concatenate([genuine, top]))
    accepted = np.rint(far * len(top))
    return accepted[::-1] / impostor_pairs, tar[::-1]
