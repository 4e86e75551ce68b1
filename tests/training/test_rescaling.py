"""The loss when all scales are multiplied."""

from __future__ import annotations

import pytest
import torch

from trsfnet.data.faces import FaceSet
from trsfnet.heads import SoftmaxHead
from trsfnet.models import inception_resnet_v1
from trsfnet.training import rescaling
from trsfnet.training.rescaling import FACTORS, losses_by_factor, rescaled

SMALL = {"width": 0.125, "input_size": 75, "embedding_size": 16}


@pytest.mark.parametrize("kind", ["fixed", "trainable", "channel"])
def test_scales_are_multiplied_and_put_back(kind):
    model = inception_resnet_v1(residual_scale=kind, scale_init=0.3, **SMALL)

    def scales():
        ups = [block.up for block in model.residual_blocks()]
        return [up.value if up.scale is None else up.scale.mean().item() for up in ups]

    before = scales()
    with rescaled(model, 2.0):
        assert scales()[:20] == pytest.approx([0.6] * 20)
        assert scales()[20] == before[20] == 1  # a constant by the paper's count
    assert scales() == before


def test_losses_differ_by_factor_and_leave_the_network_alone():
    torch.manual_seed(0)
    model = inception_resnet_v1(residual_scale="trainable", **SMALL).eval()
    head = SoftmaxHead(16, 3)
    images = torch.randint(0, 256, (12, 75, 75, 3), dtype=torch.uint8).numpy()
    faces = FaceSet(images, torch.arange(12).numpy() % 3, ("a", "b", "c"))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    losses = losses_by_factor(model, head, faces)
    assert {kind: len(set(values.values())) for kind, values in losses.items()} == {
        "rescaled_loss": len(FACTORS),
        "rescaled_loss_running": len(FACTORS),
    }
    for name, tensor in model.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize(
    ("faces", "batches"),
    [(2, [2]), (100, [100]), (101, [101]), (102, [100, 2]), (201, [100, 101]), (200, [100] * 2)],
)
def test_no_batch_is_a_single_face(faces, batches):
    """Batch norm cannot compute the variance of one."""
    order = torch.arange(faces)
    parts = rescaling._batches(order)
    assert [len(part) for part in parts] == batches
    assert torch.equal(torch.cat(parts), order)
