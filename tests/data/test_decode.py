"""Whatever a folder of images may hold is decoded rightly or refused in one sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from trsfnet.data.decode import decode
from trsfnet.errors import DataError


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def colours() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (8, 6, 3), dtype=np.uint8))


def test_rgb_comes_back_as_stored(colours):
    np.testing.assert_array_equal(decode(encoded(colours), "a.png"), np.asarray(colours))


def test_grey_becomes_three_equal_channels(colours):
    grey = colours.convert("L")
    pixels = decode(encoded(grey), "a.png")
    np.testing.assert_array_equal(pixels, np.asarray(grey)[:, :, None].repeat(3, axis=2))


def test_sixteen_bits_are_scaled_not_clipped():
    deep = np.array([[0, 257 * 10, 65535]], dtype=np.uint16)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(deep)), "a.png")[0, :, 0], [0, 10, 255])


def test_cmyk_is_the_same_picture(colours):
    flat = Image.new("RGB", (16, 16), (200, 120, 40))
    pixels = decode(encoded(flat.convert("CMYK"), "JPEG", quality=95), "a.jpg")
    assert np.abs(pixels.astype(int) - [200, 120, 40]).max() <= 6


def test_camera_orientation_is_applied(colours):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    upright = np.rot90(np.asarray(colours), k=-1)
    np.testing.assert_array_equal(decode(encoded(colours, exif=exif), "a.png"), upright)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>404</html>", "is not an image: it begins with b'<!DOCTYPE ht'"),
        (b"\xff\xd8\xff\xe0 and nothing more", "a.jpg"),
    ],
)
def test_what_is_no_image_is_refused_by_name(content, says):
    with pytest.raises(DataError, match=r"^a\.jpg") as refused:
        decode(content, "a.jpg")
    assert says in str(refused.value)


def test_a_truncated_jpeg_is_refused(colours):
    whole = encoded(colours.resize((64, 64)), "JPEG")
    with pytest.raises(DataError, match=r"^a\.jpg cannot be decoded"):
        decode(whole[: len(whole) // 2], "a.jpg")


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = encoded(Image.new("1", (9_000, 8_000)))
    with pytest.raises(DataError, match="claims to be 9000 x 8000 pixels"):
        decode(bomb, "a.png")
