"""The 5-point warp of ArcFace and the IJB protocols: eyes, nose and mouth corners to fixed places."""

from __future__ import annotations

import numpy as np
from PIL import Image

from trsfnet.errors import DataError

# x and y of the left eye, right eye, nose tip, left and right mouth corner (left as seen) in a crop of
# 112 pixels: insightface's template.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
TEMPLATE_SIZE = 112


def similarity(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The rotation, uniform scale and shift that bring `points` closest to `template` in least squares.

    Reflections are not among the maps: a mirrored face stays mirrored. The source is Umeyama, "Least-squares
    estimation of transformation parameters between two point patterns", TPAMI 1991; in the plane its solution
    is one complex division.

    Args:
        points: [P, 2], x and y.
        template: [P, 2], where they should be.

    Returns:
        float64 [2, 3]: `matrix @ (x, y, 1)` is where (x, y) goes.

    Raises:
        DataError: a coordinate is not a number below a million, or the points fit the template at no scale,
            as when they all coincide.
    """
    points, template = np.asarray(points, np.float64), np.asarray(template, np.float64)
    if not (np.abs(points) < 1e6).all():
        raise DataError(f"Landmarks must be pixel coordinates, got {points.tolist()}.")
    centre, target = points.mean(axis=0), template.mean(axis=0)
    # Turn and scale are one complex factor.
    x, y = ((p - c) @ (1, 1j) for p, c in ((points, centre), (template, target)))
    spread, fit = np.vdot(x, x).real, np.vdot(x, y)
    if spread < 1e-6 or abs(fit) < 1e-6 * np.sqrt(spread * np.vdot(y, y).real):
        raise DataError(f"Landmarks must lie somewhat like those of a face, got {points.tolist()}.")
    factor = fit / spread
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, target - turn @ centre])


def warp_face(image: np.ndarray, points: np.ndarray, size: int = TEMPLATE_SIZE) -> np.ndarray:
    """The face of `image`, upright and of fixed place and scale; black where the image ends.

    Args:
        image: uint8 [H, W, 3].
        points: [5, 2], x and y in pixels of the left eye, right eye, nose tip, left and right mouth corner.
        size: side of the crop; the template scales along.

    Returns:
        uint8 [size, size, 3], bilinear between the four nearest pixels, rounded down.

    Raises:
        DataError: as `similarity`.
    """
    matrix = similarity(points, TEMPLATE * (size / TEMPLATE_SIZE))
    # Pillow asks where each pixel of the crop comes from, and counts from corners: the centre of the first
    # pixel is (0.5, 0.5). Landmarks count from centres: it is (0, 0).
    back = np.linalg.inv(matrix[:, :2])
    shift = 0.5 - back @ (matrix[:, 2] + 0.5)
    coefficients = np.column_stack([back, shift]).ravel()
    warped = Image.fromarray(image).transform(
        (size, size), Image.Transform.AFFINE, tuple(coefficients), Image.Resampling.BILINEAR
    )
    return np.asarray(warped)
