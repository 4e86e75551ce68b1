"""The page on the idea shows the library's own lines and draws the networks as they are."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from trsfnet.experiments.variants import STABILITY
from trsfnet.models import inception_resnet, layers
from trsfnet.models.layers import Conv
from trsfnet.report import architecture, idea
from trsfnet.training.step import train_step


@pytest.fixture(scope="module")
def networks():
    return [architecture.network(version) for version in ("v1", "v2")]


def test_source_is_the_functions_own_without_its_docstring():
    text = str(idea.source(layers.ScaledProjection.forward))
    assert "`ScaledProjection.forward` in `trsfnet/models/layers.py`" in text
    assert "self.conv(z)" in text
    assert '"""' not in text
    shown = [line.strip() for line in text.split("```python\n")[1].splitlines()[:-1]]
    assert set(shown) <= {line.strip() for line in inspect.getsource(layers).splitlines()}


def test_lines_are_found_or_missed_loudly():
    assert "optimizer.step()\n```" in str(idea.lines(train_step, ".backward()", "optimizer.step()"))
    with pytest.raises(ValueError, match="No line of train_step has 'optimiser'"):
        idea.lines(train_step, "optimiser")


def test_every_setting_of_the_study_is_someones_idea():
    rows = str(idea.relatives()).splitlines()[5:-1]
    assert len(rows) == len(STABILITY)
    zero = "The initial value of SkipInit and ReZero, but with batch norm"
    assert f"| {zero} | `-p trsf True` `-p scale_init 0.0` |" in rows
    assert "| TRSF | `-p trsf True` |" in rows
    assert "| LayerScale | `-p trsf True` `-p trsf_per_channel True` |" in rows


def test_the_sizes_are_those_that_facenet_has_at_160_pixels(networks):
    for network, stages in zip(networks, ((256, 896, 1792), (320, 1088, 2080)), strict=True):
        blocks = [part.shape for part in network.parts if len(part.blocks) > 1]
        assert blocks == [(c, side, side) for c, side in zip(stages, (17, 8, 3), strict=True)]
        assert network.parts[-1].shape == (512,)
        assert sum(part.slopes for part in network.parts) == len(network.model.slopes())
        assert sum(part.scales for part in network.parts) == len(network.model.scales())


def test_figure_1_has_both_networks(networks):
    figure = architecture.overview(networks)
    for words in ("5 × Inception-ResNet A", "20 × Inception-ResNet B", "17 × 17 × 320", "243 slopes"):
        assert words in figure.svg
    assert "Layers of the stem: 7 in v1 and 8 in v2, where v2's Mixed_5b counts as one." in figure.caption
    assert "Inception (Mixed 5b)" in figure.alt


def test_figure_2_has_every_kind_of_module(networks):
    figure = architecture.modules(networks[1])
    for words in ("10 × Inception-ResNet A, on 17 × 17 × 320", ">1 × 7<", ">224<", ">448<"):
        assert words in figure.svg
    assert figure.svg.count(">s<") == 3
    assert "it has a scale and no activation after the sum" in figure.caption
    assert "it has no scale and no activation after the sum" in architecture.modules(networks[0]).caption


def test_what_changes_in_the_tables_changes_in_the_drawings(monkeypatch):
    table = inception_resnet.V1
    wider = dataclasses.replace(table.block35, repeats=7, branches=((Conv(40, 1),), (Conv(48, 5),)))
    monkeypatch.setitem(
        inception_resnet.ARCHITECTURES, "v1", dataclasses.replace(table, block35=wider, scale_last=True)
    )
    changed = architecture.network("v1")
    assert "7 × Inception-ResNet A" in architecture.overview([changed]).svg
    figure = architecture.modules(changed)
    assert ">5 × 5<" in figure.svg
    assert ">88<" in figure.svg
    assert "it has a scale" in figure.caption
    assert "(paper: 20)" in str(idea.verdict([changed]))


def test_the_verdict_counts(networks):
    words = str(idea.verdict(networks))
    assert "As in the paper, there are 20 scales in v1, 40 scales in v2, 131 slopes in v1" in words
    assert "Unlike" not in words
