"""Weights from elsewhere: the names of facenet-pytorch's v1 and timm's v2 mapped onto ours.

Ours are facenet's own layer names; the ports number the repeated stages and call the projection of a
residual branch `conv2d`, the last linear layer of timm's v2 is its ImageNet classifier.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_STAGES = {
    "facenet-pytorch": {"repeat_1": "block35", "repeat_2": "block17", "repeat_3": "block8"},
    "timm": {"repeat": "block35", "repeat_1": "block17", "repeat_2": "block8"},
}
# The classifiers belong to heads, not to the network.
_CLASSIFIERS = ("logits.", "classif.")


def rename(source: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """A port's state dict under our names, without its classifier.

    Args:
        source: state dict of `facenet_pytorch.InceptionResnetV1` or timm's `inception_resnet_v2`.
        origin: `facenet-pytorch` or `timm`.

    Returns:
        A state dict for `InceptionResnet` built with `bn_gamma=True` (a network without trainable gamma
        takes it as constants). timm's has no bottleneck: load it with `strict=False`.
    """
    stages = _STAGES[origin]
    renamed = {}
    for name, value in source.items():
        if name.startswith(_CLASSIFIERS):
            continue
        stage, dot, rest = name.partition(".")
        stage = "block8_last" if stage == "block8" else stages.get(stage, stage)
        if stage.startswith("block"):
            rest = re.sub(r"(^|\.)conv2d\.", r"\1up.conv.", rest)
        renamed[f"{stage}{dot}{rest}"] = value
    return renamed
