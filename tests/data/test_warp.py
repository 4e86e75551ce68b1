"""The 5-point warp: the best similarity, and every pixel from where the matrix says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from trsfnet.data.warp import TEMPLATE, similarity, warp_face
from trsfnet.errors import DataError


def umeyama(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Umeyama's solution by its own formulas (TPAMI 1991, equations 38 to 43)."""
    mean_x, mean_y = points.mean(axis=0), template.mean(axis=0)
    x, y = points - mean_x, template - mean_y
    u, d, vt = np.linalg.svd(y.T @ x / len(x))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (d * sign).sum() / np.square(x).sum(axis=1).mean()
    return np.column_stack([scale * rotation, mean_y - scale * rotation @ mean_x])


def moved(points: np.ndarray, *, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return points @ np.array([[c, -s], [s, c]]).T + shift


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(0, 1, (0, 0)), (35, 2.5, (-40, 7)), (-170, 0.1, (900, 900))]
)
def test_a_known_movement_is_undone(degrees, scale, shift):
    points = moved(TEMPLATE, degrees=degrees, scale=scale, shift=shift)
    matrix = similarity(points, TEMPLATE)
    np.testing.assert_allclose(np.column_stack([points, np.ones(5)]) @ matrix.T, TEMPLATE, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_points_that_fit_badly_get_umeyamas_answer(seed):
    points = np.random.default_rng(seed).uniform(0, 200, (5, 2))
    np.testing.assert_allclose(similarity(points, TEMPLATE), umeyama(points, TEMPLATE), atol=1e-9)


def test_a_mirrored_face_is_not_unmirrored():
    mirrored = TEMPLATE * (-1, 1) + (112, 0)
    matrix = similarity(mirrored, TEMPLATE)
    assert np.linalg.det(matrix[:, :2]) > 0
    np.testing.assert_allclose(matrix, umeyama(mirrored, TEMPLATE), atol=1e-9)


def smooth(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(0, 255, (height, width, 3))
    return ndimage.gaussian_filter(noise, (2, 2, 0)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [112, 160])
def test_every_pixel_comes_from_where_the_matrix_says(size):
    image = smooth(240, 200)
    points = moved(TEMPLATE, degrees=20, scale=1.3, shift=(60, 20))
    matrix = similarity(points, TEMPLATE * size / 112)
    y, x = np.mgrid[:size, :size]
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    from_x, from_y, _ = back @ np.stack([x.ravel(), y.ravel(), np.ones(size * size)])
    expected = np.stack(
        [
            ndimage.map_coordinates(image[..., c].astype(float), [from_y, from_x], order=1).reshape(
                size, size
            )
            for c in range(3)
        ],
        axis=-1,
    )
    inside = ((from_x > 0) & (from_x < 199) & (from_y > 0) & (from_y < 239)).reshape(size, size)
    assert inside.mean() > 0.8
    # Half a step of rounding on either side, and that of the coordinates.
    assert np.abs(warp_face(image, points, size) - expected)[inside].max() <= 1 + 1e-9


def test_a_face_already_in_place_is_untouched():
    image = smooth(112, 112)
    np.testing.assert_array_equal(warp_face(image, TEMPLATE), image)


def test_outside_the_image_is_black():
    crop = warp_face(np.full((112, 112, 3), 200, np.uint8), TEMPLATE - (30, 0))
    assert (crop[:, :29] == 0).all()
    assert (crop[:, 31:] == 200).all()


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (np.full((5, 2), 3.0), "like those of a face"),
        (np.where(np.arange(10).reshape(5, 2) == 4, np.nan, TEMPLATE), "pixel coordinates"),
        (TEMPLATE * 1e300, "pixel coordinates"),
    ],
)
def test_landmarks_of_no_face_are_refused(points, says):
    with pytest.raises(DataError, match=says):
        warp_face(np.zeros((112, 112, 3), np.uint8), points)
