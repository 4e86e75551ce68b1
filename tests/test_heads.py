"""Heads: the losses of the paper, with true and finite gradients."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from trsfnet.errors import ConfigError
from trsfnet.heads import ArcFaceHead, SoftmaxHead, make_head


def test_softmax_is_cross_entropy_of_the_raw_embedding_with_bias():
    torch.manual_seed(0)
    head = SoftmaxHead(6, 5)
    head.linear.bias.data.normal_()
    embeddings, labels = torch.randn(4, 6) * 3, torch.tensor([0, 4, 2, 2])
    logits = embeddings @ head.linear.weight.T + head.linear.bias
    out = head(embeddings, labels)
    assert torch.equal(out.predicted, logits.argmax(1))
    assert out.loss.item() == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)


@pytest.mark.parametrize("easy_margin", [False, True])
def test_arcface_is_the_margin_on_the_angle(easy_margin):
    """Against the definition by arccos, in float64, on angles on both sides of pi / 2 and pi - m."""
    torch.manual_seed(0)
    head = ArcFaceHead(3, 40, scale=10.0, margin=0.5, easy_margin=easy_margin).double()
    embeddings, labels = torch.randn(400, 3, dtype=torch.float64), torch.randint(0, 40, (400,))
    cosines = F.normalize(embeddings) @ F.normalize(head.weight).T
    rows = torch.arange(400)
    angle = cosines[rows, labels].arccos()
    if easy_margin:
        expected = torch.where(angle < math.pi / 2, (angle + 0.5).cos(), angle.cos())
    else:
        beyond = angle > math.pi - 0.5
        assert beyond.any()
        expected = torch.where(beyond, angle.cos() - 0.5 * math.sin(0.5), (angle + 0.5).cos())
    logits = cosines.clone()
    logits[rows, labels] = expected
    out = head(embeddings, labels)
    assert out.loss.item() == pytest.approx(F.cross_entropy(10 * logits, labels).item(), rel=1e-9)
    assert torch.equal(out.predicted, cosines.argmax(1))


@pytest.mark.parametrize("loss", ["softmax", "arcface"])
def test_predictions_ignore_the_margin_and_carry_no_gradient(loss):
    """An embedding on its identity's own weight is recognised, though the margin favours the other."""
    head = make_head(loss, 2, 2, scale=10.0, margin=1.0)
    weight = head.linear.weight if loss == "softmax" else head.weight
    weight.data = torch.tensor([[1.0, 0.0], [0.8, 0.6]])
    out = head(torch.tensor([[2.0, 0.0]], requires_grad=True), torch.tensor([0]))
    assert out.predicted.tolist() == [0]
    assert out.predicted.dtype == torch.int64
    assert not out.predicted.requires_grad
    assert out.loss.requires_grad
    assert (out.loss.item() > math.log(2)) == (loss == "arcface")


def test_scores_of_a_shard_put_the_margin_on_its_own_identities_only():
    torch.manual_seed(2)
    whole = ArcFaceHead(4, 6, scale=8.0)
    shard = ArcFaceHead(4, 2, scale=8.0)
    shard.weight.data = whole.weight.data[2:4]
    embeddings, labels = torch.randn(6, 4), torch.arange(6)
    expected = whole.scores(embeddings, labels).logits[:, 2:4]
    assert torch.allclose(shard.scores(embeddings, labels - 2).logits, expected)


@pytest.mark.parametrize("easy_margin", [False, True])
def test_arcface_gradient_is_the_true_one(easy_margin):
    torch.manual_seed(1)
    head = ArcFaceHead(5, 7, scale=8.0, margin=0.4, easy_margin=easy_margin).double()
    embeddings = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 7, (6,))
    assert torch.autograd.gradcheck(lambda e: head(e, labels).loss, (embeddings,))


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_arcface_has_no_nan_at_cosine_one(sign, dtype):
    head = ArcFaceHead(8, 3).to(dtype)
    embeddings = (sign * head.weight.detach()).clone().requires_grad_()
    out = head(embeddings, torch.arange(3))
    out.loss.backward()
    assert torch.isfinite(out.loss)
    assert torch.isfinite(embeddings.grad).all()
    assert torch.isfinite(head.weight.grad).all()


@pytest.mark.parametrize("loss", ["softmax", "arcface"])
def test_heads_compute_in_float32_under_autocast(loss):
    torch.manual_seed(0)
    head = make_head(loss, 32, 100)
    embeddings, labels = torch.randn(4, 32), torch.tensor([3, 1, 4, 1])
    plain = head(embeddings, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = head(embeddings, labels)
        from_half = head(embeddings.bfloat16(), labels)
    assert cast.loss.dtype == from_half.loss.dtype == torch.float32
    assert torch.equal(cast.loss, plain.loss)
    assert torch.equal(cast.predicted, plain.predicted)


def test_wrong_settings_are_named():
    with pytest.raises(ConfigError, match="loss must be one of 'softmax', 'arcface', got 'triplet'"):
        make_head("triplet", 8, 4)
    with pytest.raises(ConfigError, match=r"margin must be at least 0 and below pi, got 3\.2"):
        ArcFaceHead(8, 4, margin=3.2)
    for scale in (0, math.nan, math.inf):
        with pytest.raises(ConfigError, match=f"scale must be above 0 and finite, got {scale}"):
            ArcFaceHead(8, 4, scale=scale)
