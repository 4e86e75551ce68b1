"""From stored crops to network input."""

from __future__ import annotations

import torch

from trsfnet.data.augment import augment, standardise


def gradient(n: int = 64, size: int = 21) -> torch.Tensor:
    """Images that grow from 0 at the left to 1 at the right."""
    return torch.linspace(0, 1, size).expand(n, 3, size, size).clone()


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_standardise_is_facenets_and_channels_last():
    x = standardise(torch.tensor([0, 127, 128, 255], dtype=torch.uint8).view(1, 2, 2, 1).expand(5, 2, 2, 3))
    assert x.shape == (5, 3, 2, 2)
    assert torch.allclose(x[0, 0].ravel(), (torch.tensor([0.0, 127, 128, 255]) - 127.5) / 128)
    stored = torch.zeros(2, 4, 4, 3, dtype=torch.uint8)
    assert standardise(stored).is_contiguous(memory_format=torch.channels_last)


def test_nothing_asked_changes_nothing():
    x = gradient()
    assert augment(x, drawn(), flip=False, rotate=0, shift=0) is x


def test_flips_mirror_half_of_the_images():
    x = gradient()
    y = augment(x, drawn(), flip=True, rotate=0, shift=0)
    mirrored = (y == x.flip(3)).all(dim=(1, 2, 3))
    same = (y == x).all(dim=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 16 < mirrored.sum() < 48


def test_flips_agree_with_and_without_interpolation():
    x = gradient()
    still = augment(x, drawn(), flip=True, rotate=0, shift=0)
    turned = augment(x, drawn(), flip=True, rotate=1e-4, shift=0)
    assert torch.allclose(still, turned, atol=1e-4)


def test_rotations_stay_within_the_limit_and_turn_both_ways():
    x = gradient()
    y = augment(x, drawn(), flip=False, rotate=10, shift=0)
    middle = y[:, 0, 8:13, 8:13]
    slope = (middle[:, -1] - middle[:, 0]).mean(dim=1) / (middle[:, :, -1] - middle[:, :, 0]).mean(dim=1)
    angle = torch.rad2deg(torch.atan(slope))
    assert angle.abs().max() <= 10.01
    assert angle.min() < -5
    assert angle.max() > 5


def test_shifts_move_whole_images_by_up_to_the_share():
    x = gradient()
    y = augment(x, drawn(), flip=False, rotate=0, shift=0.1)
    moved = (y - x)[:, 0, 10, 10] * 20 / 21  # in sides
    assert moved.abs().max() <= 0.1 + 1e-5
    assert moved.abs().max() > 0.05
    assert torch.equal(y, augment(x, drawn(), flip=False, rotate=0, shift=0.1))
