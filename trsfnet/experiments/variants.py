"""The variants that are trained: those of the paper, and those of our additional studies.

Each is declared once. A variant of the paper lists its exhibits, the tables and figures that show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trsfnet.models.inception_resnet import PAPER_SCALE, PAPER_SLOPE, SCALED_MODULES
from trsfnet.training.config import LATER_SETTINGS, TrainConfig

_ACTIVATION_NAMES = {"leaky_relu": "Leaky ReLU", "prelu": "PReLU"}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A combination of network and loss, one cell of the grid of experiments.

    Attributes:
        arch: `v1` or `v2`.
        trsf: True for trainable residual scales.
        trsf_per_channel: True for one scale per channel instead of one per module.
        scale_init: initial value of trainable scales, or value of constant ones; None for the paper's 0.1 or
            facenet's constants, respectively.
        fixed_scales: a constant for each module that has a scale with TRSF; empty to use `scale_init`.
        activation: `relu`, `leaky_relu` or `prelu`.
        loss: `softmax` or `arcface`.
        slope_init: initial value of PReLU's slopes; None for the paper's usual 0.2.
        exhibits: the tables and figures of the paper that show it, such as `table 1` and `figure 3`.
    """

    arch: str
    trsf: bool = False
    trsf_per_channel: bool = False
    scale_init: float | None = None
    fixed_scales: tuple[float, ...] = ()
    activation: str = "relu"
    loss: str = "softmax"
    slope_init: float | None = None
    exhibits: tuple[str, ...] = field(default=(), compare=False)

    @property
    def key(self) -> str:
        """Key such as `v1-trsf-prelu`, used as prefix of run ids and in `trsfnet/paper/numbers.json`."""
        return self.config().variant

    @property
    def name(self) -> str:
        """Name as printed in the paper, such as `Inception-ResNet v1 + TRSF + PReLU`."""
        return f"Inception-ResNet {self.short_name}"

    @property
    def short_name(self) -> str:
        """Name without the network family, such as `v1 + TRSF + PReLU`."""
        return f"{self.network_name}{self._loss_name}"

    @property
    def network_name(self) -> str:
        """The short name without the loss."""
        return " + ".join([f"{self.arch}{self._constant_name}", *self._parts])

    @property
    def additions(self) -> str:
        """The additions to the original network, such as `TRSF + PReLU`; empty if there are none."""
        return f"{' + '.join(self._parts)}{self._loss_name}"

    @property
    def _parts(self) -> list[str]:
        parts = []
        if self.trsf:
            start = "" if self.scale_init is None else f" from {self.scale_init:g}"
            parts.append(f"TRSF{' per channel' if self.trsf_per_channel else ''}{start}")
        if self.activation != "relu":
            start = "" if self.slope_init is None else f" from {self.slope_init:g}".replace("-", "−")
            parts.append(f"{_ACTIVATION_NAMES[self.activation]}{start}")
        return parts

    @property
    def _loss_name(self) -> str:
        return ", ArcFace" if self.loss == "arcface" else ""

    @property
    def _constant_name(self) -> str:
        if self.fixed_scales:
            values = {f"{value:g}" for value in self.fixed_scales}
            return f", all scales {values.pop()}" if len(values) == 1 else ", given scales"
        return "" if self.trsf or self.scale_init is None else f", scale {self.scale_init:g}"

    def config(self, **others: Any) -> TrainConfig:
        """Return the configuration that trains it; `others` sets track, seed and all other settings."""
        return TrainConfig(
            arch=self.arch,
            trsf=self.trsf,
            trsf_per_channel=self.trsf_per_channel,
            scale_init=self.scale_init,
            fixed_scales=self.fixed_scales,
            activation=self.activation,
            loss=self.loss,
            slope_init=self.slope_init,
            **others,
        )


def _table_1_or_2(arch: str) -> list[Variant]:
    """Return the six variants of an architecture, in the paper's order."""
    table, averages, scales, signs = (1, 4, 6, 9) if arch == "v1" else (2, 5, 7, 10)
    variants = []
    for activation in ("relu", "leaky_relu", "prelu"):
        for trsf in (False, True):
            exhibits = [f"table {table}", "figure 3"]
            exhibits += [f"table {averages}", "figure 5", f"figure {scales}"] if trsf else []
            exhibits += ["figure 8", f"figure {signs}"] if activation == "prelu" else []
            exhibits += ["table 6", "figure 11"] if (arch, activation, trsf) == ("v2", "prelu", False) else []
            variants.append(Variant(arch=arch, trsf=trsf, activation=activation, exhibits=tuple(exhibits)))
    return variants


def _arcface() -> list[Variant]:
    exhibits = ("table 3", "figure 4")
    return [
        Variant(arch="v2", trsf=trsf, activation="prelu", loss="arcface", exhibits=exhibits)
        for trsf in (False, True)
    ]


def _starting_slopes() -> list[Variant]:
    """Return the variants of table 6 except the initial slope 0.2, which it shares with table 2."""
    exhibits = ("table 6", "figure 11")
    return [
        Variant(arch="v2", activation="prelu", slope_init=start, exhibits=exhibits)
        for start in (-0.1, 0.1, 0.25, 0.3)
    ]


GRID: tuple[Variant, ...] = (
    *_table_1_or_2("v1"),
    *_table_1_or_2("v2"),
    *_arcface(),
    *_starting_slopes(),
)
"""The 18 distinct variants of the paper, each trained there with one seed."""


STABILITY: tuple[Variant, ...] = (
    *(Variant(arch="v1", scale_init=constant) for constant in (None, 0.1, 0.3, 1.0)),
    *(
        Variant(arch="v1", trsf=True, trsf_per_channel=per_channel, scale_init=start)
        for per_channel in (False, True)
        for start in (0.0, None, 0.3, 1.0)
    ),
)
"""Does a small or trainable scale prevent collapse? Constant scales compared with scales trained from the
same initial values. One scale per module that starts at 0 is SkipInit or ReZero; one scale per channel that
starts at a small value is LayerScale."""

COLLAPSE: tuple[Variant, ...] = (
    *(Variant(arch="v1", scale_init=constant) for constant in (None, 0.1, 0.3, 1.0)),
    *(Variant(arch="v1", trsf=True, scale_init=start) for start in (None, 1.0)),
)
"""The variants of the stability study to which a claim of the paper refers."""

WIDTH: tuple[Variant, ...] = (
    *(Variant(arch="v1", scale_init=constant) for constant in (0.1, 1.0)),
    *(Variant(arch="v1", trsf=True, scale_init=start) for start in (None, 1.0)),
)
"""Do wide networks fail to train, and do scales prevent it? The constants 0.1 and 1, and scales trained from
the same values; `trsfnet.analysis.width` has the questions."""

WIDTH_NARROW: tuple[Variant, ...] = tuple(variant for variant in WIDTH if not variant.trsf)
"""The constants of the study `width`, which are compared between widths."""

LONG: tuple[Variant, ...] = tuple(
    Variant(arch="v1", trsf=trsf, activation=activation)
    for activation in ("relu", "prelu")
    for trsf in (False, True)
)
"""v1 with and without TRSF, and with and without PReLU."""

LONG_USUAL_DECAY: tuple[Variant, ...] = tuple(variant for variant in LONG if variant.activation == "prelu")
"""v1 with PReLU, with and without TRSF."""

CONTROLS: tuple[Variant, ...] = tuple(
    control
    for activation in ("relu", "prelu")
    for control in (
        Variant(arch="v1", scale_init=PAPER_SCALE, activation=activation),
        Variant(arch="v2", fixed_scales=(PAPER_SCALE,) * SCALED_MODULES["v2"], activation=activation),
    )
)
"""The constant 0.1 in each module that has a scale with TRSF.

These controls separate the effect of the initial value from that of training the scales. TRSF also scales
v2's last module, where the original has the constant 1.
"""

MECHANISM: tuple[Variant, ...] = (
    *(Variant(arch="v1", trsf=True, scale_init=start, activation="prelu") for start in (0.03, 0.3, 1.0)),
    # The constants of these runs differ: they are frozen at what a run with the same seed and weight decay
    # learned. All have the same key, for which any constants that differ between modules can stand.
    Variant(
        arch="v1",
        fixed_scales=tuple(number / 100 for number in range(1, SCALED_MODULES["v1"] + 1)),
        activation="prelu",
    ),
)
"""Variants of the study on the meaning of the scales that no other study has: other initial values, and
constants frozen at learned magnitudes."""


def variants_in(exhibit: str) -> list[Variant]:
    """Return the variants shown in a table or figure of the paper, such as `table 1`."""
    return [variant for variant in GRID if exhibit in variant.exhibits]


def table_variants(number: int) -> list[Variant]:
    """Return the variants of one of the paper's tables, in the table's order."""
    variants = variants_in(f"table {number}")
    if number == 6:
        variants.sort(key=lambda v: PAPER_SLOPE if v.slope_init is None else v.slope_init)
    return variants


VARIANTS: dict[str, Variant] = {
    variant.key: variant for variant in (*STABILITY, *MECHANISM, *CONTROLS, *GRID)
}
"""All variants that are trained, by key."""


def variant_of(key: str) -> Variant:
    """Return the variant with a key such as `v1-trsf-prelu`.

    Raises:
        KeyError: no variant in `VARIANTS` has this key.
    """
    return VARIANTS[key]


def short_name(key: str) -> str:
    """Return `v1 + TRSF + PReLU` for `v1-trsf-prelu`; keys not in `VARIANTS` are returned unchanged."""
    known = VARIANTS.get(key)
    return known.short_name if known else key


def variant_key(config: Mapping[str, Any]) -> str:
    """Return the key of a run's variant from its settings, which need not be in `VARIANTS`."""
    return TrainConfig.from_parameters({**LATER_SETTINGS, **config}).variant


def variant_from(config: Mapping[str, Any]) -> Variant:
    """Return a run's variant from its settings; initial values equal to the paper's become None."""
    usual = {"scale_init": PAPER_SCALE if config["trsf"] else None, "slope_init": PAPER_SLOPE}
    starts = {name: None if config[name] == value else config[name] for name, value in usual.items()}
    return Variant(
        arch=config["arch"],
        trsf=config["trsf"],
        trsf_per_channel=config["trsf_per_channel"],
        scale_init=starts["scale_init"],
        fixed_scales=tuple(config.get("fixed_scales", ())),
        activation=config["activation"],
        loss=config["loss"],
        slope_init=None if config["activation"] == "relu" else starts["slope_init"],
    )
