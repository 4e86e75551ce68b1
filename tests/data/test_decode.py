"""Whatever a folder of images may hold is decoded rightly or refused in one sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from trsfnet.data.decode import MOST_JPEG_PIXELS, MOST_PIXELS, decode
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


# Pillow itself refuses the second.
@pytest.mark.parametrize(
    ("size", "says"), [((9_000, 8_000), "9000 x 8000 pixels"), ((20_000, 9_000), "extremely")]
)
def test_a_bomb_is_refused_before_it_is_unpacked(size, says):
    bomb = encoded(Image.new("1", size))
    with pytest.raises(
        DataError, match=f"claims to be {says} large: expected at most 67,108,864 pixels, or a"
    ):
        decode(bomb, "a.png")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_photograph_is_decoded_at_reduced_size(monkeypatch, progressive):
    monkeypatch.setattr("trsfnet.data.decode.MOST_PIXELS", 64 * 48)
    monkeypatch.setattr("trsfnet.data.decode.MOST_JPEG_PIXELS", 4 * 64 * 48)
    photograph = encoded(Image.new("RGB", (128, 96), (10, 200, 30)), "JPEG", progressive=progressive)
    pixels = decode(photograph, "a.jpg")
    assert pixels.shape == (48, 64, 3)
    assert np.abs(pixels.astype(int) - [10, 200, 30]).max() <= 4
    larger = encoded(Image.new("RGB", (136, 96)), "JPEG")
    with pytest.raises(DataError, match=r"136 x 96 pixels large: expected at most 3,072 pixels, or a JPEG"):
        decode(larger, "a.jpg")
    with pytest.raises(DataError, match=r"128 x 96 pixels large: expected at most 3,072"):
        decode(encoded(Image.new("RGB", (128, 96))), "a.png")


def test_phones_of_200_megapixels_are_within_the_limits():
    assert MOST_PIXELS * 4 <= MOST_JPEG_PIXELS
    assert MOST_JPEG_PIXELS >= 16_320 * 12_240


def chunk(kind: bytes, data: bytes, checksum: int | None = None) -> bytes:
    crc = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


PNG_METADATA = {
    "EXIF that is none": chunk(b"eXIf", b"\0\x08\0\x02\x01\x12\0\x03"),
    "EXIF that ends": chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
    "raw profile": chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  6\n zz"),
    "checksum of a comment": chunk(b"tEXt", b"a\0b", 1),
    "compression of a comment": chunk(b"zTXt", b"x\0\5zzzz"),
    "comment of 64 MiB": chunk(b"zTXt", b"x\0\0" + zlib.compress(b"a" * (1 << 26))),
    "colour profile": chunk(b"iCCP", b"x\0\0no zlib"),
    "resolution": chunk(b"pHYs", b"1"),
    "animation": chunk(b"acTL", b""),
}


@pytest.mark.parametrize("name", PNG_METADATA)
@pytest.mark.parametrize("at", [33, -12])
def test_a_sound_png_with_damaged_metadata_is_seen(colours, name, at):
    sound = encoded(colours)
    content = sound[:at] + PNG_METADATA[name] + sound[at:]
    np.testing.assert_array_equal(decode(content, "a.png"), np.asarray(colours))


def segment(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + struct.pack(">H", len(data) + 2) + data


JPEG_METADATA = {
    "EXIF that ends": segment(0xE1, b"Exif\0\0II*\0zzzz"),
    "second picture": segment(0xE2, b"MPF\0II*\0\x08\0\0\0\1\0\1\xb0\4\0\xff\xff\xff\xff\0\0\0\0"),
    "colour profile": segment(0xE2, b"ICC_PROFILE\0"),
    "Adobe's mark": segment(0xEE, b"Adobe"),
    "JFIF's mark": segment(0xE0, b"JFIF"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", JPEG_METADATA)
def test_a_sound_jpeg_with_damaged_metadata_is_seen(colours, name):
    sound = encoded(colours, "JPEG")
    content = sound[:2] + JPEG_METADATA[name] + sound[2:]
    np.testing.assert_array_equal(decode(content, "a.jpg"), decode(sound, "a.jpg"))


def test_an_orientation_counts_whatever_stands_beside_it(colours):
    """Pillow turns the picture and then stumbles over writing the EXIF anew."""
    entries = struct.pack("<HHHI4sHHIHHI", 2, 0x0111, 2, 4, b"432\0", 0x0112, 3, 1, 6, 0, 0)
    sound = encoded(colours, "JPEG")
    content = sound[:2] + segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + entries) + sound[2:]
    np.testing.assert_array_equal(decode(content, "a.jpg"), np.rot90(decode(sound, "a.jpg"), k=-1))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("JPEG", name) for name in JPEG_METADATA if name != "EXIF that ends"),
        *(("PNG", name) for name in PNG_METADATA if name not in ("EXIF that is none", "EXIF that ends")),
    ],
)
def test_an_orientation_counts_though_other_metadata_are_damaged(colours, kind, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(colours, kind, exif=exif)
    at, damaged = (2, JPEG_METADATA[name]) if kind == "JPEG" else (33, PNG_METADATA[name])
    content = turned[:at] + damaged + turned[at:]
    np.testing.assert_array_equal(decode(content, "a"), decode(turned, "a"))


def test_a_webp_whose_exif_is_none_is_seen(colours):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(colours, "WEBP", lossless=True, exif=exif)
    broken = content.replace(b"II*\0", b"zzzz").replace(b"MM\0*", b"zzzz")
    assert broken != content
    np.testing.assert_array_equal(decode(broken, "a.webp"), np.asarray(colours))


SHADES = np.array([[0, 10, 128, 255]])


@pytest.mark.parametrize(
    "stored",
    [
        SHADES.astype(np.float32) / 255,
        SHADES.astype(np.float32),
        SHADES.astype(np.float32) * 257,
        SHADES.astype(np.int32),
        SHADES.astype(np.int32) * 257,
        (SHADES * 257).astype(np.uint16),
    ],
)
def test_deep_pictures_are_what_a_viewer_shows(stored):
    pixels = decode(encoded(Image.fromarray(stored), "TIFF"), "a.tif")
    np.testing.assert_array_equal(pixels, SHADES[..., None].repeat(3, axis=2))


def test_twelve_bits_are_scaled_by_their_white():
    tags = {256: 2, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 3}
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    file = b"II*\0" + struct.pack("<I", 12) + b"\xff\xf8\x08\0" + struct.pack("<H", len(tags)) + entries
    assert decode(file + bytes(4), "a.tif")[0, :, 0].tolist() == [255, 128]


def test_white_at_zero_is_told_by_a_tag():
    deep = Image.fromarray((SHADES * 257).astype(np.uint16))
    inverted = decode(encoded(deep, "TIFF", tiffinfo={262: 0}), "a.tif")
    np.testing.assert_array_equal(inverted[..., 0], 255 - SHADES)


@pytest.mark.parametrize("value", [-1.0, 80000.0, float("nan"), float("inf")])
def test_what_has_no_scale_is_refused(value):
    with pytest.raises(DataError, match=r"^a\.tif has pixels from .*: expected 0 to 1 or 0 to 255 or"):
        decode(encoded(Image.fromarray(np.array([[0.5, value]], np.float32)), "TIFF"), "a.tif")


def test_resampled_floats_may_exceed_black_and_white_a_little():
    stored = np.array([[-0.03, 0.0, 0.2, 1.0, 1.06]], np.float32)
    pixels = decode(encoded(Image.fromarray(stored), "TIFF"), "a.tif")
    assert pixels[0, :, 0].tolist() == [0, 0, 51, 255, 255]


@pytest.mark.parametrize(
    "stored",
    [
        np.array([[0, 4095]], np.uint16),
        np.array([[0, 255]], np.uint16),
        np.array([[0, 1]], np.int32),
        np.array([[0, 1023]], np.int32),
        np.array([[0.0, 1e-3]], np.float32),
        np.array([[0.0, 3.0]], np.float32),
    ],
)
def test_what_would_look_black_is_refused(stored):
    with pytest.raises(DataError, match=r"^a\.tif has no pixel above .*: expected values up to \d+\.$"):
        decode(encoded(Image.fromarray(stored), "TIFF"), "a.tif")


def test_black_is_black():
    assert not decode(encoded(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"), "a.tif").any()


def _tiff(tags, pixels):
    """A little-endian TIFF of one strip; `tags` holds the values of short tags."""
    start = 8 + len(pixels)
    tags = {256: 2, 257: 2, 259: 1, 273: 8, 278: 2, 279: len(pixels), **tags}
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", start) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_signed_integers_have_half_the_range():
    stored = np.array([[0, 32767], [16448, 128]], "<i2")
    pixels = decode(_tiff({258: 16, 262: 1, 277: 1, 339: 2}, stored.tobytes()), "a.tif")
    assert pixels[..., 0].ravel().tolist() == [0, 255, 128, 1]


def test_deep_channels_that_pillow_would_misread_are_refused():
    start = 8 + 24 + 2 + 11 * 12 + 4
    file = bytearray(_tiff({258: 0, 262: 2, 273: 0, 277: 3, 279: 0, 284: 2, 339: 1}, bytes(24)))
    more = struct.pack("<3H3I3I", 16, 16, 16, 8, 16, 24, 8, 8, 8)
    for entry in range(34, len(file) - 4, 12):
        tag = int.from_bytes(file[entry : entry + 2], "little")
        if tag in (258, 273, 279):
            at = start + {258: 0, 273: 6, 279: 18}[tag]
            file[entry + 2 : entry + 12] = struct.pack("<HII", 3 if tag == 258 else 4, 3, at)
    with pytest.raises(DataError, match=r"^a\.tif stores each channel separately in 16 bits"):
        decode(bytes(file) + more, "a.tif")


def test_signed_bytes_are_as_bright_as_a_viewer_shows_them():
    tags = {258: 8, 262: 1, 277: 1, 339: 2}
    pixels = decode(_tiff(tags, np.array([[0, 64], [127, 1]], np.int8).tobytes()), "a.tif")
    assert pixels[..., 0].ravel().tolist() == [0, 129, 255, 2]
    with pytest.raises(DataError, match=r"^a\.tif has pixels from -1 to 127: expected 0 to 127\."):
        decode(_tiff(tags, np.array([[0, -1], [127, 1]], np.int8).tobytes()), "a.tif")


def test_a_tiff_of_other_pixels_is_called_so():
    with pytest.raises(DataError, match=r"^a\.tif is a TIFF with pixels that cannot be decoded: expected"):
        decode(_tiff({258: 64, 262: 1, 277: 1, 339: 3}, np.zeros((2, 2)).tobytes()), "a.tif")


@pytest.mark.parametrize(("given", "turned"), [("6", True), ("77", False), ("9", False), ("banana", False)])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_an_orientation_in_xmp_counts_if_it_is_one(colours, kind, given, turned):
    xmp = f'<x xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{given}"/>'.encode()
    wide = colours.crop((0, 0, colours.width, colours.height // 2))
    pixels = decode(encoded(wide, kind, xmp=xmp), "a")
    assert pixels.shape[:2] == (wide.size if turned else wide.size[::-1])


@pytest.mark.parametrize("kind", ["GIF", "JPEG2000", "PPM", "WEBP", "BMP", "TIFF", "QOI"])
def test_other_formats_are_read(kind):
    flat = Image.new("RGB", (16, 16), (200, 120, 40))
    assert np.abs(decode(encoded(flat, kind), "a").astype(int) - [200, 120, 40]).max() <= 8


def test_a_file_that_another_program_would_have_to_read_is_refused():
    with pytest.raises(DataError, match=r"^a is not an image"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "a")
