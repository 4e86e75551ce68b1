"""The 5-point warp of ArcFace and the IJB protocols: eyes, nose and mouth corners move to fixed positions."""

from __future__ import annotations

import numpy as np
from PIL import Image

from trsfnet.errors import DataError

# insightface's template: x and y of the left eye, right eye, nose tip, left and right mouth corner (left as
# seen in the image) in a crop of 112 pixels.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
TEMPLATE_SIZE = 112


def similarity(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Compute the rotation, uniform scale and shift that best map `points` to `template` in least squares.

    Reflections are excluded: a mirrored face stays mirrored. The method is that of Umeyama, "Least-squares
    estimation of transformation parameters between two point patterns", TPAMI 1991; in two dimensions its
    solution is a single complex division.

    Args:
        points: [P, 2], x and y.
        template: [P, 2], target positions.

    Returns:
        float64 [2, 3]: `matrix @ (x, y, 1)` is the new position of (x, y).

    Raises:
        DataError: if a coordinate is not finite or not below a million, or no scale fits the points to the
            template, for example because they all coincide.
    """
    points, template = np.asarray(points, np.float64), np.asarray(template, np.float64)
    if not (np.abs(points) < 1e6).all():
        raise DataError(f"Landmarks must be pixel coordinates, got {points.tolist()}.")
    centre, target = points.mean(axis=0), template.mean(axis=0)
    # Rotation and scale form one complex factor.
    x, y = ((p - c) @ (1, 1j) for p, c in ((points, centre), (template, target)))
    spread, fit = np.vdot(x, x).real, np.vdot(x, y)
    if spread < 1e-6 or abs(fit) < 1e-6 * np.sqrt(spread * np.vdot(y, y).real):
        raise DataError(f"Landmarks must be arranged like those of a face, got {points.tolist()}.")
    factor = fit / spread
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, target - turn @ centre])


def warp_face(image: np.ndarray, points: np.ndarray, size: int = TEMPLATE_SIZE) -> np.ndarray:
    """Warp the face in `image` to a fixed position and scale; areas outside the image are black.

    Args:
        image: uint8 [H, W, 3].
        points: [5, 2], x and y in pixels of the left eye, right eye, nose tip, left and right mouth corner.
        size: side of the crop in pixels; the template is scaled with it.

    Returns:
        uint8 [size, size, 3], bilinear between the four nearest pixels, rounded down.

    Raises:
        DataError: see `similarity`.
    """
    matrix = similarity(points, TEMPLATE * (size / TEMPLATE_SIZE))
    # Pillow needs the inverse map, and its coordinates start at pixel corners: the centre of the first pixel
    # is (0.5, 0.5). Landmark coordinates start at pixel centres, where it is (0, 0).
    back = np.linalg.inv(matrix[:, :2])
    shift = 0.5 - back @ (matrix[:, 2] + 0.5)
    coefficients = np.column_stack([back, shift]).ravel()
    warped = Image.fromarray(image).transform(
        (size, size), Image.Transform.AFFINE, tuple(coefficients), Image.Resampling.BILINEAR
    )
    return np.asarray(warped)
