"""Inception-ResNet v1 and v2 for face recognition, as the paper used them (section 4.2).

The layers are those of facenet, verified against its TensorFlow graph: 21 and 40 residual modules, 131 and
243 activations. One table per version holds all widths and repeats; both versions share the module classes.

The paper counts 20 TRSFs in v1 and 40 in v2. facenet's v1 has 21 residual modules, the last of which
(`block8`) adds its branch unscaled and without activation. Leaving that module unscaled gives the paper's 20.
In v2, the corresponding module must be scaled to give 40. `scale_last` overrides either choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trsfnet.errors import ConfigError, choice
from trsfnet.models.layers import (
    ACTIVATIONS,
    BN_MOMENTUM,
    RESIDUAL_SCALES,
    Conv,
    ConvNormAct,
    KeepsGammaFrozen,
    ScaledProjection,
    Units,
    batch_norm1d,
)

Branch = tuple[Conv, ...]
"""One branch of a module: its convolutions in order."""

Branches = tuple[Branch, ...]


@dataclass(frozen=True)
class Residual:
    """One residual stage: `repeats` identical modules with these branches, scaled by `scale` if fixed."""

    branches: Branches
    scale: float
    repeats: int


@dataclass(frozen=True)
class Architecture:
    """Widths and repeats of one version; the field names are the module names."""

    version: str
    mixed_5b: Branches | None  # v2 only; in v1 (None), conv2d_4b takes its place
    block35: Residual
    mixed_6a: Branches
    block17: Residual
    mixed_7a: Branches
    block8: Residual  # without the last module, which is separate
    conv2d_7b: int | None  # v2 only
    scale_last: bool  # whether the last block8 has a TRSF, by the paper's count


V1 = Architecture(
    version="v1",
    mixed_5b=None,
    block35=Residual(
        branches=(
            (Conv(32, 1),),
            (Conv(32, 1), Conv(32, 3)),
            (Conv(32, 1), Conv(32, 3), Conv(32, 3)),
        ),
        scale=0.17,
        repeats=5,
    ),
    mixed_6a=(
        (Conv(384, 3, stride=2),),
        (Conv(192, 1), Conv(192, 3), Conv(256, 3, stride=2)),
    ),
    block17=Residual(
        branches=(
            (Conv(128, 1),),
            (Conv(128, 1), Conv(128, (1, 7)), Conv(128, (7, 1))),
        ),
        scale=0.10,
        repeats=10,
    ),
    mixed_7a=(
        (Conv(256, 1), Conv(384, 3, stride=2)),
        (Conv(256, 1), Conv(256, 3, stride=2)),
        (Conv(256, 1), Conv(256, 3), Conv(256, 3, stride=2)),
    ),
    block8=Residual(
        branches=(
            (Conv(192, 1),),
            (Conv(192, 1), Conv(192, (1, 3)), Conv(192, (3, 1))),
        ),
        scale=0.20,
        repeats=5,
    ),
    conv2d_7b=None,
    scale_last=False,
)

V2 = Architecture(
    version="v2",
    mixed_5b=(
        (Conv(96, 1),),
        (Conv(48, 1), Conv(64, 5)),
        (Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        (Conv(64, 1),),
    ),
    block35=Residual(
        branches=(
            (Conv(32, 1),),
            (Conv(32, 1), Conv(32, 3)),
            (Conv(32, 1), Conv(48, 3), Conv(64, 3)),
        ),
        scale=0.17,
        repeats=10,
    ),
    mixed_6a=(
        (Conv(384, 3, stride=2),),
        (Conv(256, 1), Conv(256, 3), Conv(384, 3, stride=2)),
    ),
    block17=Residual(
        branches=(
            (Conv(192, 1),),
            (Conv(128, 1), Conv(160, (1, 7)), Conv(192, (7, 1))),
        ),
        scale=0.10,
        repeats=20,
    ),
    mixed_7a=(
        (Conv(256, 1), Conv(384, 3, stride=2)),
        (Conv(256, 1), Conv(288, 3, stride=2)),
        (Conv(256, 1), Conv(288, 3), Conv(320, 3, stride=2)),
    ),
    block8=Residual(
        branches=(
            (Conv(192, 1),),
            (Conv(192, 1), Conv(224, (1, 3)), Conv(256, (3, 1))),
        ),
        scale=0.20,
        repeats=9,
    ),
    conv2d_7b=1536,
    scale_last=True,
)

ARCHITECTURES = {"v1": V1, "v2": V2}
EMBEDDING_SIZE = 512  # in the paper
# Initial values of trainable scales and slopes in the paper (sections 4.4.2 and 4.4.3).
PAPER_SCALE = 0.1
PAPER_SLOPE = 0.2
# Residual modules with a scale: all except v1's last one, according to the paper's count.
SCALED_MODULES = {"v1": 20, "v2": 40}
REMOVABLE_POOLS = {"v1": ("maxpool_3a",), "v2": ("maxpool_3a", "maxpool_5a")}

# Smallest side, in pixels, that leaves one pixel for the last stage: as published (None), or without a pool.
MIN_INPUT_SIZE = {None: 75, "maxpool_3a": 39, "maxpool_5a": 43}


def _chain(in_channels: int, branch: Branch, units: Units) -> nn.Module:
    """The convolutions of one branch; to match facenet's names, a single one is not wrapped in a sequence."""
    widths = [in_channels, *(conv.channels for conv in branch)]
    convs = [units.conv(width, conv) for width, conv in zip(widths, branch, strict=False)]
    return convs[0] if len(convs) == 1 else nn.Sequential(*convs)


class Branched(nn.Module):
    """Base class of Inception modules: parallel branches over one input, named `branch0`, `branch1`, ..."""

    def __init__(self, in_channels: int, branches: Branches, units: Units) -> None:
        super().__init__()
        self.branch_names = tuple(f"branch{i}" for i in range(len(branches)))
        self.branch_channels = sum(branch[-1].channels for branch in branches)
        for name, branch in zip(self.branch_names, branches, strict=True):
            self.add_module(name, _chain(in_channels, branch, units))

    def outputs(self, x: Tensor) -> list[Tensor]:
        """The output of each branch, in the order of `branch_names`, even if one was registered again."""
        outputs = []
        for wanted in self.branch_names:
            for name, child in self.named_children():  # TorchScript unrolls this but does not support getattr
                if name == wanted:
                    outputs.append(child(x))
        return outputs


class ResidualBlock(Branched):
    """Inception-ResNet module A, B or C: y = act(x + s * Inception(x)) (figure 2, equation 1).

    Args:
        channels: width of the trunk, in and out.
        branches: convolutions of each branch.
        units: makes the convolutions and the activation.
        scale: kind of residual scale, see `ScaledProjection`.
        value: the fixed scale, or the initial value of a trainable one.
        activated: whether an activation follows the sum (all modules but the last).
    """

    def __init__(
        self, channels: int, branches: Branches, units: Units, *, scale: str, value: float, activated: bool
    ) -> None:
        super().__init__(channels, branches, units)
        self.up = ScaledProjection(self.branch_channels, channels, scale=scale, value=value)
        self.act = units.act() if activated else nn.Identity()

    def branch(self, x: Tensor) -> Tensor:
        """The scaled residual branch alone, s * Inception(x). [N, channels, H, W] -> the same shape."""
        return self.up(torch.cat(self.outputs(x), dim=1))

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] -> the same shape."""
        return self.act(x + self.branch(x))


class Reduction(Branched):
    """Reduction module: branches that end in stride 2, in parallel with a max pool of the input."""

    def __init__(self, in_channels: int, branches: Branches, units: Units) -> None:
        super().__init__(in_channels, branches, units)
        self.pool = nn.MaxPool2d(3, stride=2)
        self.out_channels = self.branch_channels + in_channels

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, (H - 1) // 2, (W - 1) // 2]."""
        outputs = self.outputs(x)
        outputs.append(self.pool(x))
        return torch.cat(outputs, dim=1)


class Mixed5b(Branched):
    """The non-residual Inception module at the end of v2's stem; its last branch pools first."""

    def __init__(self, in_channels: int, branches: Branches, units: Units) -> None:
        super().__init__(in_channels, branches, units)
        self.out_channels = self.branch_channels
        # TensorFlow's SAME average excludes the padding from the mean.
        pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        last = self.branch_names[-1]
        setattr(self, last, nn.Sequential(pool, getattr(self, last)))

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] -> [N, out_channels, H, W]."""
        return torch.cat(self.outputs(x), dim=1)


def _check_numbers(whole: dict[str, object], finite: dict[str, float]) -> None:
    """Raise `ConfigError` unless all numbers are what their arguments need, by name."""
    for name, number in whole.items():
        if not isinstance(number, Integral):
            raise ConfigError(f"{name} must be a whole number, got {number}.")
    for name, value in finite.items():
        if not math.isfinite(value):
            raise ConfigError(f"{name} must be a finite number, got {value}.")


def _scaled_width(channels: int, width: float) -> int:
    """`channels` times `width`, rounded to the nearest multiple of 8, at least 8 (all full widths are)."""
    return max(8, round(channels * width / 8) * 8)


def _scaled_branches(branches: Branches, width: float) -> Branches:
    return tuple(
        tuple(conv._replace(channels=_scaled_width(conv.channels, width)) for conv in branch)
        for branch in branches
    )


class InceptionResnet(KeepsGammaFrozen):
    """Inception-ResNet with fixed or trainable residual scales and a choice of activation.

    Input: [N, 3, H, W], RGB in [-1, 1] (facenet's fixed standardisation, (pixel - 127.5) / 128).
    Output: the embedding before L2 normalisation, [N, embedding_size], as the softmax head expects it.

    Args:
        version: `v1` or `v2`.
        embedding_size: width of the bottleneck (paper: 512).
        dropout: share of the pooled features dropped in training (0 keeps all).
        input_size: side of the square input in pixels (paper: 160 for VGGFace2, 112 for MS1MV2).
        width: factor for every layer width except the embedding's; 1.0 is the paper's network.
        residual_scale: `fixed` (a constant), `trainable` (TRSF, one scalar per module) or `channel` (one per
            channel).
        scale_init: initial value of a trainable scale, or the constant of all modules. None stands for the
            paper's 0.1 if trainable, and for facenet's 0.17, 0.10 and 0.20 for modules A, B and C if fixed.
        scale_last: whether the last block8 has a trainable scale; None follows the paper's count (v1 no,
            v2 yes). With `fixed`, that module is not scaled, as in facenet, except by `fixed_scales` in v2.
        fixed_scales: with `fixed`, the constant of each module that has a scale in the paper (20 in v1, 40 in
            v2), in forward order; empty for those of `scale_init`.
        activation: `relu`, `leaky_relu` or `prelu`.
        slope_init: slope of the negative half: the constant of `leaky_relu`, the initial value of `prelu`
            (paper: 0.2).
        removed_pool: max pool to omit from the stem for 112 px input. The paper removed "a down-sampling
            layer" without saying which. `maxpool_3a` exists in both versions and leaves stages of 25, 12 and
            5 pixels; `maxpool_5a` (v2 only) leaves 24, 11 and 5.
        bn_gamma: give batch norms a trainable gamma, as PyTorch ports do and facenet does not.
        bn_momentum: momentum of the running statistics (facenet: 0.005; short runs need a larger value).

    Attributes:
        settings: these arguments by name; they are sufficient to rebuild the same network.

    Raises:
        ConfigError: an unknown value, a number out of range, or an input too small for the network.
    """

    def __init__(
        self,
        *,
        version: str,
        embedding_size: int = EMBEDDING_SIZE,
        dropout: float = 0.0,
        input_size: int = 160,
        width: float = 1.0,
        residual_scale: str = "fixed",
        scale_init: float | None = None,
        scale_last: bool | None = None,
        fixed_scales: tuple[float, ...] = (),
        activation: str = "relu",
        slope_init: float = PAPER_SLOPE,
        removed_pool: str | None = None,
        bn_gamma: bool = False,
        bn_momentum: float = BN_MOMENTUM,
    ) -> None:
        super().__init__()
        choice("version", version, tuple(ARCHITECTURES))
        choice("residual_scale", residual_scale, RESIDUAL_SCALES)
        choice("activation", activation, ACTIVATIONS)
        if removed_pool is not None:
            choice(f"removed_pool of {version}", removed_pool, REMOVABLE_POOLS[version])
        if fixed_scales and (residual_scale != "fixed" or scale_init is not None):
            raise ConfigError("fixed_scales needs the residual_scale 'fixed' and no scale_init.")
        if len(fixed_scales) not in (0, SCALED_MODULES[version]):
            raise ConfigError(
                f"fixed_scales of {version} must have {SCALED_MODULES[version]} numbers, got "
                f"{len(fixed_scales)}."
            )
        _check_numbers(
            {"embedding_size": embedding_size, "input_size": input_size},
            {
                "slope_init": slope_init,
                **({} if scale_init is None else {"scale_init": scale_init}),
                **{f"fixed_scales[{i}]": scale for i, scale in enumerate(fixed_scales)},
            },
        )
        if not 0 < width < math.inf:
            raise ConfigError(f"width must be above 0 and finite, got {width}.")
        if not 0 <= bn_momentum <= 1:
            raise ConfigError(f"bn_momentum must be from 0 to 1, got {bn_momentum}.")
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1, got {dropout}.")
        if embedding_size < 1:
            raise ConfigError(f"embedding_size must be at least 1, got {embedding_size}.")
        arch = ARCHITECTURES[version]
        self.settings: dict[str, Any] = {
            "version": version,
            "embedding_size": embedding_size,
            "dropout": dropout,
            "input_size": input_size,
            "width": width,
            "residual_scale": residual_scale,
            "scale_init": scale_init,
            "scale_last": scale_last,
            "fixed_scales": tuple(fixed_scales),
            "activation": activation,
            "slope_init": slope_init,
            "removed_pool": removed_pool,
            "bn_gamma": bn_gamma,
            "bn_momentum": bn_momentum,
        }
        self.version = version
        self.embedding_size = embedding_size
        self.input_size = input_size
        self.removed_pool = removed_pool
        self._check_input_size()
        units = Units(activation, slope_init, bn_gamma, bn_momentum)
        w = partial(_scaled_width, width=width)

        # Registration follows the order of the forward pass; the names of the slopes depend on it.
        self.conv2d_1a = units.conv(3, Conv(w(32), 3, stride=2))
        self.conv2d_2a = units.conv(w(32), Conv(w(32), 3), padded=False)
        self.conv2d_2b = units.conv(w(32), Conv(w(64), 3))
        self.maxpool_3a = self._stem_pool("maxpool_3a")
        self.conv2d_3b = units.conv(w(64), Conv(w(80), 1))
        self.conv2d_4a = units.conv(w(80), Conv(w(192), 3), padded=False)
        self.conv2d_4b: ConvNormAct | None = None
        self.maxpool_5a: nn.Module | None = None
        self.mixed_5b: Mixed5b | None = None
        if arch.mixed_5b is None:
            self.conv2d_4b = units.conv(w(192), Conv(w(256), 3, stride=2))
            channels = w(256)
        else:
            self.maxpool_5a = self._stem_pool("maxpool_5a")
            self.mixed_5b = Mixed5b(w(192), _scaled_branches(arch.mixed_5b, width), units)
            channels = self.mixed_5b.out_channels

        def residual(stage: Residual, *, last: bool = False) -> ResidualBlock:
            scale, value = residual_scale, scale_init
            if value is None:
                value = stage.scale if scale == "fixed" else PAPER_SCALE
            if last and (scale == "fixed" or not (arch.scale_last if scale_last is None else scale_last)):
                scale, value = "fixed", 1.0
            branches = _scaled_branches(stage.branches, width)
            return ResidualBlock(channels, branches, units, scale=scale, value=value, activated=not last)

        self.block35 = nn.Sequential(*(residual(arch.block35) for _ in range(arch.block35.repeats)))
        self.mixed_6a = Reduction(channels, _scaled_branches(arch.mixed_6a, width), units)
        channels = self.mixed_6a.out_channels
        self.block17 = nn.Sequential(*(residual(arch.block17) for _ in range(arch.block17.repeats)))
        self.mixed_7a = Reduction(channels, _scaled_branches(arch.mixed_7a, width), units)
        channels = self.mixed_7a.out_channels
        self.block8 = nn.Sequential(*(residual(arch.block8) for _ in range(arch.block8.repeats)))
        self.block8_last = residual(arch.block8, last=True)
        for block, value in zip(self.residual_blocks(), fixed_scales, strict=False):
            block.up.value = value
        self.conv2d_7b: ConvNormAct | None = None
        if arch.conv2d_7b is not None:
            self.conv2d_7b = units.conv(channels, Conv(w(arch.conv2d_7b), 1))
            channels = w(arch.conv2d_7b)
        self.dropout = nn.Dropout(dropout)
        self.last_linear = nn.Linear(channels, embedding_size, bias=False)
        self.last_bn = batch_norm1d(embedding_size, gamma=bn_gamma, momentum=bn_momentum)
        self.reset_parameters()

    def _stem_pool(self, name: str) -> nn.Module:
        return nn.Identity() if name == self.removed_pool else nn.MaxPool2d(3, stride=2)

    def _check_input_size(self) -> None:
        """Raise `ConfigError` if the input would shrink to nothing before the last stage."""
        smallest = MIN_INPUT_SIZE[self.removed_pool]
        if self.input_size < smallest:
            raise ConfigError(
                f"input_size must be at least {smallest} pixels"
                f"{'' if self.removed_pool is None else f' with {self.removed_pool} removed'}"
                f", got {self.input_size}."
            )

    def reset_parameters(self) -> None:
        """Initialise as facenet does: Xavier uniform on every convolution and the bottleneck, biases 0.

        Norms, slopes and scales get their initial values, too, so that this completes a network that was
        created on the meta device.
        """
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.PReLU | ScaledProjection):
                module.reset_parameters()
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def residual_blocks(self) -> list[ResidualBlock]:
        """The 21 (v1) or 40 (v2) residual modules, in the order of the forward pass."""
        return [module for module in self.modules() if isinstance(module, ResidualBlock)]

    def forward_features(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] -> the last feature map [N, C, H', W'] (C: v1 1792, v2 1536)."""
        # The comments give the channels and the size at full width for the paper's 160 px.
        x = self.conv2d_1a(x)  # 32 x 79 x 79
        x = self.conv2d_2a(x)  # 32 x 77 x 77
        x = self.conv2d_2b(x)  # 64 x 77 x 77
        x = self.maxpool_3a(x)  # 64 x 38 x 38
        x = self.conv2d_3b(x)  # 80 x 38 x 38
        x = self.conv2d_4a(x)  # 192 x 36 x 36
        if self.conv2d_4b is not None:  # v1
            x = self.conv2d_4b(x)  # 256 x 17 x 17
        if self.maxpool_5a is not None and self.mixed_5b is not None:  # v2
            x = self.maxpool_5a(x)  # 192 x 17 x 17
            x = self.mixed_5b(x)  # 320 x 17 x 17
        x = self.block35(x)  # the same
        x = self.mixed_6a(x)  # v1: 896 x 8 x 8, v2: 1088 x 8 x 8
        x = self.block17(x)
        x = self.mixed_7a(x)  # v1: 1792 x 3 x 3, v2: 2080 x 3 x 3
        x = self.block8(x)
        x = self.block8_last(x)
        if self.conv2d_7b is not None:  # v2
            x = self.conv2d_7b(x)  # 1536 x 3 x 3
        return x

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] -> the embedding before L2 normalisation [N, embedding_size]."""
        pooled = self.forward_features(x).mean(dim=(2, 3))
        return self.last_bn(self.last_linear(self.dropout(pooled)))

    def scales(self) -> dict[str, Tensor]:
        """Trainable residual scales by the paper's names (figure 5), in forward order, detached.

        `TRSF_inception-resnet v1.3` is the scale of the third residual module. Each is a scalar, or
        [channels] if there is one scale per channel.
        """
        return {
            recorded_name("TRSF", self.version, number): _as_number(block.up.scale)
            for number, block in enumerate(self.residual_blocks(), start=1)
            if block.up.scale is not None
        }

    def slopes(self) -> dict[str, Tensor]:
        """PReLU slopes by the paper's names (figure 8), in forward order, detached; each is a scalar.

        `PReLU_inception-resnet v2.17.2` is the second slope of the seventeenth residual module, numbered
        as in `scales`. The paper does not say how it numbers the others; here they carry the name of
        their part: `stem`, `mixed-5b`, `reduction-a`, `reduction-b`, `conv2d-7b`.
        """
        return {
            recorded_name("PReLU", self.version, part.name, number): slope
            for part in self.parts()
            for number, slope in enumerate(slopes_of(part.modules), start=1)
        }

    def counts(self) -> dict[str, int]:
        """Number of `parameters`, all of which are trainable, and of `scales` and `slopes` among them."""
        return {
            "parameters": sum(p.numel() for p in self.parameters()),
            "scales": len(self.scales()),
            "slopes": len(self.slopes()),
        }

    def parts(self) -> Iterator[Part]:
        """The network divided into the parts that name its activations, in forward order."""
        stem: list[nn.Module] = [
            self.conv2d_1a,
            self.conv2d_2a,
            self.conv2d_2b,
            self.conv2d_3b,
            self.conv2d_4a,
        ]
        yield Part("stem", 0, stem if self.conv2d_4b is None else [*stem, self.conv2d_4b])
        if self.mixed_5b is not None:
            yield Part("mixed-5b", 0, [self.mixed_5b])
        number = 1
        for stage, reduction, name in (
            (self.block35, self.mixed_6a, "reduction-a"),
            (self.block17, self.mixed_7a, "reduction-b"),
            ([*self.block8, self.block8_last], None, ""),
        ):
            for block in stage:
                yield Part(str(number), number, [block])
                number += 1
            if reduction is not None:
                yield Part(name, 0, [reduction])
        if self.conv2d_7b is not None:
            yield Part("conv2d-7b", 0, [self.conv2d_7b])


class Part(NamedTuple):
    """A part of the network that names its activations.

    Attributes:
        name: number of a residual module, or such as `stem`.
        block: number of the residual module, from 1; 0 for other parts.
        modules: the modules of the part.
    """

    name: str
    block: int
    modules: list[nn.Module]


def series(kind: str) -> str:
    """Common beginning of the names of all values of a kind, such as `TRSF_inception-resnet` (figure 5)."""
    return f"{kind}_inception-resnet"


def recorded_name(kind: str, version: str, *place: object) -> str:
    """The name under which a value of a network is recorded, such as `PReLU_inception-resnet v1.6.2`."""
    return f"{series(kind)} {'.'.join(map(str, (version, *place)))}"


def slopes_of(modules: list[nn.Module]) -> Iterator[Tensor]:
    """The PReLU slopes in `modules`, in forward order, detached."""
    for module in modules:
        for child in module.modules():
            if isinstance(child, nn.PReLU):
                yield _as_number(child.weight)


def _as_number(parameter: Tensor) -> Tensor:
    """A detached parameter, as a scalar if its shape is [1]."""
    return parameter.detach().squeeze(0)


def inception_resnet_v1(**settings: Any) -> InceptionResnet:
    """Inception-ResNet v1: 21 residual modules, 20 TRSFs, 131 slopes, 23.5 million parameters."""
    return InceptionResnet(version="v1", **settings)


def inception_resnet_v2(**settings: Any) -> InceptionResnet:
    """Inception-ResNet v2: 40 residual modules, 40 TRSFs, 243 slopes, 55.1 million parameters."""
    return InceptionResnet(version="v2", **settings)
