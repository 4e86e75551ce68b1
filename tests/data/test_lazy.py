"""Images that are decoded when asked for are the decoded images, whatever is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.memory import MemorySource, encoded, pattern
from trsfnet.data.lazy import LazyImages
from trsfnet.errors import DataError


def test_rows_come_in_the_order_asked_for():
    source = MemorySource({f"a/{i}": encoded(pattern(i)) for i in range(7)})
    images = LazyImages(source, 48)
    assert images.shape == (7, 48, 48, 3)
    assert len(images) == 7
    rows = np.array([5, 0, 0, 3, 6])
    np.testing.assert_array_equal(images[rows], np.stack([pattern(i) for i in rows]))
    np.testing.assert_array_equal(images[2:4], np.stack([pattern(2), pattern(3)]))
    assert images[rows[:0]].shape == (0, 48, 48, 3)


def test_other_sizes_are_resized():
    source = MemorySource({"a/0": encoded(pattern(0, 96))})
    assert np.abs(LazyImages(source, 48)[:1][0].astype(int) - pattern(0)).mean() < 8


def test_an_image_that_is_missing_is_named():
    images = LazyImages(MemorySource({"a/0": encoded(pattern(0)), "a/1": None}), 48)
    with pytest.raises(DataError, match=r"a/1 is missing\."):
        images[0:2]
