"""Summary of a network: counts, parameters, and multiply-accumulates by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from trsfnet.errors import ConfigError
from trsfnet.interop.description import Description
from trsfnet.interop.models import ModelSource, read_model
from trsfnet.interop.onnx_file import Interface, OnnxModel
from trsfnet.interop.preprocessing import LARGEST_SIZE, Preprocessing
from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import ARCHITECTURES
from trsfnet.models.layers import ConvNormAct

# The children of an `InceptionResnet` in each stage, named as in facenet and the paper.
_STAGES = {
    "stem": (
        *("conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "conv2d_4b"),
        "maxpool_5a",
    ),
    "Inception (mixed 5b)": ("mixed_5b",),
    "Inception-ResNet A": ("block35",),
    "Reduction A": ("mixed_6a",),
    "Inception-ResNet B": ("block17",),
    "Reduction B": ("mixed_7a",),
    "Inception-ResNet C": ("block8", "block8_last"),
    "last convolution": ("conv2d_7b",),
    "embedding": ("last_linear", "last_bn"),
}
FLOPS_PER_MAC = 2


@dataclass(frozen=True)
class Stage:
    """A stage of a network.

    Attributes:
        name: name of the stage, such as `Inception-ResNet A`.
        modules: number of residual modules.
        output: output shape for one image: channels, height and width, or the size of the embedding.
        parameters: number of trainable parameters.
        macs: multiply-accumulates of the forward pass for one image, in convolutions and the linear layer.
    """

    name: str
    modules: int
    output: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Summary:
    """Summary of a network.

    Attributes:
        description: the network's description.
        size: side of the square input in pixels.
        scales: number of trainable residual scales.
        slopes: number of trainable slopes.
        activations: number of activations after convolutions and residual sums.
        stages: the stages from image to embedding.
    """

    description: Description
    size: int
    scales: int
    slopes: int
    activations: int
    stages: tuple[Stage, ...]

    @property
    def modules(self) -> int:
        """Number of residual modules."""
        return sum(stage.modules for stage in self.stages)

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward pass for one image."""
        return sum(stage.macs for stage in self.stages)

    def facts(self) -> list[str]:
        """Return the counts and the origin of the network as lines of text."""
        description = self.description
        kinds = f"{self.modules} residual modules, {self.scales} trainable scales (TRSF)"
        lines = [
            f"{kinds}; {self.activations} activations, {self.slopes} trainable slopes (PReLU)",
            f"{self.parameters:,} parameters, {self.macs / 1e6:,.0f} million MACs an image",
            "settings: " + ", ".join(f"{name} {value}" for name, value in description.settings.items()),
        ]
        if description.training:
            numbers = ", ".join(f"{name} {value:.4f}" for name, value in description.metrics.items())
            lines.append(f"a run on the track {description.training['track']}: {numbers or 'no results yet'}")
        p = description.preprocessing
        lines += [f"input: {p.crop}; (pixel - {p.mean:g}) / {p.divisor:g}", f"data: {description.data_terms}"]
        return lines

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return the header and rows of a table of the stages."""
        header = ("stage", "residual modules", "output", "parameters", "MACs", "share")
        rows: list[tuple[str, ...]] = [
            (
                stage.name,
                str(stage.modules or ""),
                " x ".join(map(str, stage.output)),
                f"{stage.parameters:,}",
                f"{stage.macs:,}",
                f"{stage.macs / self.macs:.0%}",
            )
            for stage in self.stages
        ]
        return header, rows

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name, as JSON-compatible values."""
        d = self.description
        return {
            "name": d.name,
            "origin": d.origin,
            "settings": dict(d.settings),
            "preprocessing": d.preprocessing.to_dict(),
            "data_terms": d.data_terms,
            "metrics": dict(d.metrics),
            "size": self.size,
            "residual_modules": self.modules,
            "trainable_scales": self.scales,
            "trainable_slopes": self.slopes,
            "activations": self.activations,
            "parameters": self.parameters,
            "macs": self.macs,
            "stages": [asdict(stage) for stage in self.stages],
        }


@dataclass(frozen=True)
class GraphSummary:
    """Summary of an `.onnx` file that trsfnet did not write.

    Attributes:
        description: name and preprocessing of the network.
        interface: the graph's input and output.
        parameters: number of values in its tensors.
    """

    description: Description
    interface: Interface
    parameters: int

    @property
    def size(self) -> int:
        """Side of the square input in pixels."""
        return self.description.preprocessing.size

    def facts(self) -> list[str]:
        """Return the counts and the interface as lines of text."""
        p, takes = self.description.preprocessing, self.interface
        prepared = "pixels as they are" if takes.pixels else f"(pixel - {p.mean:g}) / {p.divisor:g}"
        order = "[N, 3, size, size]" if takes.channels_first else "[N, size, size, 3]"
        return [
            f"{self.parameters:,} parameters, in an ONNX file of others",
            f"input: {takes.input}, {order}, {p.channels}, {prepared}",
            f"output: {takes.output}, embeddings of {takes.width or 'unstated length'}",
        ]

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return an empty table, because the stages are unknown."""
        return (), []

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name, as JSON-compatible values."""
        return {
            "name": self.description.name,
            "origin": self.description.origin,
            "preprocessing": self.description.preprocessing.to_dict(),
            "size": self.size,
            "parameters": self.parameters,
            **asdict(self.interface),
        }


def summarise(source: ModelSource, size: int | None = None) -> Summary | GraphSummary:
    """Summarise a network.

    Args:
        source: `v1` or `v2` for the paper's network with trainable scales and slopes; otherwise see
            `read_model`.
        size: side of the input in pixels; by default the network's own, or 160 for the paper's.

    Raises:
        ConfigError: if the network requires a larger input, its input size is fixed, or `size` is too large.
        DataError: see `read_model`.
        RecordError: see `read_model`.
    """
    if isinstance(source, str) and source in ARCHITECTURES:
        description = _of_the_paper(source)
    else:
        read = read_model(source)
        description = read.description
        if isinstance(read, OnnxModel) and not description.settings:
            if size not in (None, description.preprocessing.size):
                fixed = description.preprocessing.size
                raise ConfigError(f"size must be that of the file, {fixed}, got {size}.")
            return GraphSummary(description, read.interface, read.parameters)
    size = description.preprocessing.size if size is None else size
    if size > LARGEST_SIZE:
        raise ConfigError(f"size must be at most {LARGEST_SIZE} pixels, got {size}.")
    model, shapes, macs = _passed({**description.settings, "input_size": size})
    children = dict(model.named_children())
    stages = []
    for name, members in _STAGES.items():
        there = [member for member in members if member in shapes]
        if there:
            modules = [module for member in there for module in children[member].modules()]
            stages.append(
                Stage(
                    name,
                    modules=sum(module in model.residual_blocks() for module in modules),
                    output=shapes[there[-1]],
                    parameters=sum(p.numel() for member in there for p in children[member].parameters()),
                    macs=sum(macs[member] for member in there),
                )
            )
    return Summary(
        description,
        size,
        scales=len(model.scales()),
        slopes=len(model.slopes()),
        activations=_activations(model),
        stages=tuple(stages),
    )


def _of_the_paper(version: str) -> Description:
    settings = {"version": version, "residual_scale": "trainable", "activation": "prelu"}
    terms = "No weights, so no data."
    return Description(f"Inception-ResNet {version}", "trsfnet", settings, Preprocessing(160), terms)


def macs_per_image(settings: Mapping[str, Any]) -> int:
    """Return the multiply-accumulates of a forward pass for one image, for a network with `settings`."""
    return sum(_passed(settings)[2].values())


def _passed(
    settings: Mapping[str, Any],
) -> tuple[InceptionResnet, dict[str, tuple[int, ...]], dict[str, int]]:
    """Build a network without storage; also return output shapes and multiply-accumulates of its children."""
    with torch.device("meta"):
        model = InceptionResnet(**settings).eval()
        return model, *_forward(model, torch.empty(1, 3, model.input_size, model.input_size))


def _forward(model: nn.Module, image: Tensor) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """Return the output shape and multiply-accumulates of each child that ran, in order of execution."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])

    for name, child in model.named_children():
        child.register_forward_hook(lambda _module, _inputs, output, name=name: note(name, output))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    counts = counter.get_flop_counts()
    kind = type(model).__name__
    return shapes, {n: sum(counts.get(f"{kind}.{n}", {}).values()) // FLOPS_PER_MAC for n in shapes}


def _activations(model: InceptionResnet) -> int:
    """Count the activations: one for each convolution unit and each residual sum that has one."""
    units = sum(isinstance(module, ConvNormAct) for module in model.modules())
    return units + sum(not isinstance(block.act, nn.Identity) for block in model.residual_blocks())
