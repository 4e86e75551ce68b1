"""The structure of a network, read from its modules and from one forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from trsfnet.models.inception_resnet import InceptionResnet, Mixed5b, Reduction, ResidualBlock
from trsfnet.models.layers import ConvNormAct

M = TypeVar("M", bound=nn.Module)

STEM, TRUNK, HEAD = "Stem", "Modules", "Head"

_LETTERS = {
    "block35": "Inception-ResNet A",
    "block17": "Inception-ResNet B",
    "block8": "Inception-ResNet C",
    "block8_last": "Inception-ResNet C",
    "mixed_6a": "Reduction A",
    "mixed_7a": "Reduction B",
    "mixed_5b": "Inception (Mixed 5b)",
}


@dataclass(frozen=True)
class Part:
    """One part of a network, in the order of the forward pass.

    Attributes:
        section: `Stem`, `Modules` (from the first residual module to the last) or `Head`.
        title: short description.
        module: the module; None for the mean over positions, which is not a module.
        shape: shape of its output for one image: (channels, height, width), or (channels,) after pooling.
    """

    section: str
    title: str
    module: nn.Module | None
    shape: tuple[int, ...]

    @property
    def blocks(self) -> list[ResidualBlock]:
        """The residual modules in this part, which all have the same structure."""
        return [] if self.module is None else _all(self.module, ResidualBlock)

    @property
    def scales(self) -> int:
        """Number of trainable scales."""
        return sum(block.up.scale is not None for block in self.blocks)

    @property
    def slopes(self) -> int:
        """Number of trainable slopes."""
        return 0 if self.module is None else len(_all(self.module, nn.PReLU))


@dataclass(frozen=True)
class Network:
    """One of the paper's networks with TRSF and PReLU, and its parts.

    Attributes:
        model: the network, on the meta device.
        parts: its parts, from image to embedding.
    """

    model: InceptionResnet
    parts: tuple[Part, ...]

    @property
    def version(self) -> str:
        """Version of the network, `v1` or `v2`."""
        return self.model.version

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return self.model.counts()["parameters"]

    def layers(self, section: str) -> list[Part]:
        """Return the parts of one section."""
        return [part for part in self.parts if part.section == section]


def network(version: str, *, input_size: int = 160) -> Network:
    """Return the network `version` (`v1` or `v2`) for images of side `input_size`, with its parts."""
    with torch.device("meta"):
        model = InceptionResnet(
            version=version, input_size=input_size, residual_scale="trainable", activation="prelu"
        ).eval()
    # The weights stay uninitialised, because only shapes are needed. The meta device would be much slower.
    shapes = _shapes(model.to_empty(device="cpu"), torch.zeros(1, 3, input_size, input_size))
    return Network(model.to("meta"), tuple(_parts(model, shapes)))


def _shapes(model: InceptionResnet, image: Tensor) -> dict[nn.Module, tuple[int, ...]]:
    """Return the output shape of each child module without the batch dimension, in order of execution."""
    shapes: dict[nn.Module, tuple[int, ...]] = {}

    def note(module: nn.Module, _inputs: object, output: Tensor) -> None:
        shapes[module] = tuple(output.shape[1:])

    hooks = [child.register_forward_hook(note) for child in model.children()]
    with torch.inference_mode():
        model(image)
    for hook in hooks:
        hook.remove()
    return shapes


def _parts(model: InceptionResnet, shapes: dict[nn.Module, tuple[int, ...]]) -> Iterator[Part]:
    names = {module: name for name, module in model.named_children()}
    residual = [module for module in shapes if _all(module, ResidualBlock)]
    section = STEM
    before: tuple[int, ...] = ()
    for module, shape in shapes.items():
        section = TRUNK if module is residual[0] else section
        if len(shape) < len(before):
            yield Part(section, f"mean over {before[1]} × {before[2]}", None, shape)
        before = shape
        if not isinstance(module, nn.Identity) and not (isinstance(module, nn.Dropout) and module.p == 0):
            yield Part(section, _title(names[module], module), module, shape)
        section = HEAD if module is residual[-1] else section


def _title(name: str, module: nn.Module) -> str:
    match module:
        case ConvNormAct():
            return f"{layer(module)} convolution{_stride(module.conv.stride)}"
        case nn.MaxPool2d():
            return f"max pool {times(module.kernel_size)}{_stride(module.stride)}"
        case nn.Linear():
            return "linear"
        case nn.BatchNorm1d():
            return "batch norm"
        case ResidualBlock() | Reduction() | Mixed5b():
            return _LETTERS.get(name, name)
        case nn.Sequential():
            return f"{len(module)} × {_LETTERS.get(name, name)}"
    return f"{type(module).__name__} {name}"


def layer(unit: ConvNormAct) -> str:
    """Return the kernel size of a convolution, such as `1 × 7`."""
    return times(unit.conv.kernel_size)


def times(sizes: int | tuple[int, ...]) -> str:
    """Format a size, such as `3 × 3` for 3 or (3, 3)."""
    return " × ".join(map(str, (sizes, sizes) if isinstance(sizes, int) else sizes))


def _stride(stride: int | tuple[int, ...]) -> str:
    step = stride if isinstance(stride, int) else stride[0]
    return "" if step == 1 else f", stride {step}"


def size(shape: tuple[int, ...]) -> str:
    """Format a shape as in the paper, with channels last, such as `17 × 17 × 256`."""
    return times((*shape[1:], shape[0])) if len(shape) > 1 else str(shape[0])


def _all(module: nn.Module, kind: type[M]) -> list[M]:
    return [child for child in module.modules() if isinstance(child, kind)]
