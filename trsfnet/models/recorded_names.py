"""The paper's names under which training records scales and slopes, with the part of the network of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch

from trsfnet.models.inception_resnet import InceptionResnet, recorded_name, series, slopes_of


@dataclass(frozen=True)
class RecordedName:
    """A name such as `PReLU_inception-resnet v1.6.2`, in its parts.

    Attributes:
        series: what is recorded, with the family of networks, such as `PReLU_inception-resnet`.
        part: part of the network, such as `6` or `stem`.
        label: version and part, such as `v1.6`.
        block: number of the residual module, from 1; 0 for other parts.
    """

    series: str
    part: str
    label: str
    block: int


@cache
def recorded_names(version: str) -> dict[str, RecordedName]:
    """Return the names of all scales, slopes, ratios and norms of a network, in their parts, by name.

    Args:
        version: `v1` or `v2`.
    """
    with torch.device("meta"):
        model = InceptionResnet(version=version, residual_scale="trainable", activation="prelu")
    found = {}
    for part in model.parts():
        label = f"{version}.{part.name}"
        for number, _ in enumerate(slopes_of(part.modules), start=1):
            name = recorded_name("PReLU", version, part.name, number)
            found[name] = RecordedName(series("PReLU"), part.name, label, part.block)
        for kind in ("TRSF", "ratio", "kernel", "bias") if part.block else ():
            name = recorded_name(kind, version, part.name)
            found[name] = RecordedName(series(kind), part.name, label, part.block)
    return found
