"""Faces become unit vectors, whatever form they come in, and what is not pixels is refused."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import trsfnet
from tests.interop.networks import expected, images, tiny_weights
from trsfnet.errors import ConfigError, DataError
from trsfnet.interop.preprocessing import Preprocessing

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights():
    return tiny_weights()


@pytest.fixture(scope="module")
def embedder(weights):
    return trsfnet.load(weights, device="cpu", precision="float32")


def test_embeddings_are_the_networks_own(weights, embedder):
    pixels = images(5)
    got = embedder.embed(pixels, batch_size=2)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected(weights, pixels), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)
    assert np.abs(got - got[0]).max() > 1e-3
    assert embedder.embed([]).shape == (0, 16)


def test_arrays_pillow_images_and_files_are_the_same(embedder, tmp_path):
    (pixels,) = images(1)
    image = Image.fromarray(pixels)
    image.save(tmp_path / "face.png")
    got = embedder.embed([pixels, image, tmp_path / "face.png", str(tmp_path / "face.png")])
    np.testing.assert_allclose(got, np.repeat(got[:1], 4, axis=0), atol=1e-6)


def test_other_sizes_are_resized(weights, embedder):
    big = images(1, 150)[0]
    small = np.asarray(Image.fromarray(big).resize((75, 75), Image.Resampling.BICUBIC, reducing_gap=3))
    np.testing.assert_allclose(embedder.embed([big]), expected(weights, small[None]), atol=1e-5)


def test_preprocessing_is_the_weights_own(weights, embedder):
    other = replace(weights.description, preprocessing=Preprocessing(75, mean=100.0, divisor=60.0))
    changed = trsfnet.load(replace(weights, description=other), precision="float32").embed(images(2))
    assert np.abs(changed - embedder.embed(images(2))).max() > 1e-3


def test_bfloat16_stays_close(weights, embedder):
    rough = trsfnet.load(weights, device="cpu", precision="bfloat16").embed(images(3))
    assert np.einsum("nd,nd->n", rough, embedder.embed(images(3))).min() > 0.99


def truncated() -> Image.Image:
    """An image that Pillow has opened but not decoded, of a file that ends too early."""
    buffer = io.BytesIO()
    Image.fromarray(images(1)[0]).save(buffer, "png")
    return Image.open(io.BytesIO(buffer.getvalue()[:-2000]))


def test_no_images_have_no_outputs(embedder):
    assert embedder.outputs(np.empty((0, 75, 75, 3), np.uint8)).shape == (0, 16)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            images(1)[0] / 255.0,
            r"Image 0 must be uint8 with pixels of 0 to 255, got float64 from 0 to 1: give",
        ),
        (
            (images(1)[0] / 127.5 - 1).astype(np.float32),
            r"got float32 from -1 to 1: give the pixels as they were",
        ),
        (
            (images(1)[0] / 255.0).astype(np.uint8),
            r"Image 0 has no pixel value above 1: it was divided by 255",
        ),
        (images(1)[0].transpose(2, 0, 1), r"must be \[H, W, 3\] in RGB, got \[3, 75, 75\]"),
        (images(1)[0][..., 0], r"must be \[H, W, 3\] in RGB, got \[75, 75\]"),
        (torch.rand(3, 75, 75), r"must be uint8 \[H, W, 3\], a Pillow image or a file, got Tensor"),
        (Image.new("RGB", (0, 80)), r"Image 0 must have pixels, got 0 x 80"),
        (truncated(), r"Image 0 cannot be decoded: .*truncated"),
        (Image.new("I;16", (75, 75)), r"Image 0 must have 8 bits per channel, got Pillow's mode I;16"),
        ("nowhere.jpg", r"Cannot read nowhere\.jpg: No such file"),
        (__file__, r"test_embedder\.py is not an image"),
    ],
)
def test_what_is_not_pixels_is_refused_in_one_sentence(embedder, wrong, says):
    with pytest.raises(DataError, match=says):
        embedder.embed([wrong])


def test_nothing_at_a_time_is_refused(embedder):
    with pytest.raises(ConfigError, match="batch_size must be at least 1, got -1"):
        embedder.embed([np.zeros((75, 75, 3), np.uint8)], batch_size=-1)


def test_a_name_with_a_nul_is_a_file_that_cannot_be_read(embedder):
    with pytest.raises(DataError, match="Cannot read a\0b: embedded null byte"):
        embedder.embed(["a\0b"])


@pytest.mark.parametrize("device", ["foo", "xpu", "hpu", "meta", 1.5])
def test_a_device_that_is_not_there_is_named(weights, device):
    says = rf"device must be available here, such as cpu, got {device}: ([^.]|\.\S)+\.$"
    with pytest.raises(ConfigError, match=says):
        trsfnet.load(weights, device=device)


def test_an_unknown_precision_is_refused(weights):
    with pytest.raises(
        ConfigError, match="precision must be one of 'auto', 'float32', 'bfloat16', got 'half'"
    ):
        trsfnet.load(weights, precision="half")


def test_a_single_image_is_not_a_list(embedder):
    for single in (images(1)[0], "face.jpg", Image.new("RGB", (75, 75))):
        with pytest.raises(DataError, match="put a single one in brackets"):
            embedder.embed(single)


def test_a_network_that_has_diverged_is_named(weights):
    state = dict(weights.state) | {"last_bn.bias": torch.full((16,), float("nan"))}
    with pytest.raises(DataError, match="tiny produces embeddings that are not finite"):
        trsfnet.load(replace(weights, state=state)).embed(images(1))


def test_import_is_light_and_every_public_name_is_there():
    code = "import sys, trsfnet; assert 'torch' not in sys.modules; print(trsfnet.load.__name__)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "load\n"
    )
    assert os.environ["ARROW_DEFAULT_MEMORY_POOL"], "or a process hangs where memory runs out"
    for name in trsfnet.__all__:
        assert getattr(trsfnet, name)
    with pytest.raises(AttributeError, match="trsfnet attribute nothing"):
        _ = trsfnet.nothing
