"""Cost of the paper's 18 runs, estimated from counted operations and measured and published speeds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from trsfnet.experiments.variants import GRID
from trsfnet.interop import summary
from trsfnet.report.data.paper import MS1MV2, VGGFACE2
from trsfnet.report.display import Markdown, table
from trsfnet.text import NBSP, counted
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import network_settings

IDENTITIES = {"vggface2": VGGFACE2.people, "ms1mv2": MS1MV2.people}
"""Number of identities in the paper's training sets, which is the number of classes of the classifier."""

EVALUATED = {"vggface2": 13_233, "ms1mv2": 12_000}
"""Number of images embedded after every epoch: all of LFW, or the pairs of `lfw.bin`."""

# The arguments of `InceptionResnet` on which the number of multiplications depends.
_COSTS = ("version", "input_size", "width", "embedding_size", "removed_pool")

# Forward pass plus backward pass, which has two products (for inputs and for weights) per forward product.
_PASSES = 3


@dataclass(frozen=True)
class Card:
    """A GPU and its dense peak in the precision used for training, from the manufacturer's data sheet.

    Attributes:
        name: name of the card.
        precision: `bfloat16`, or `float32` if the hardware does not support bfloat16.
        tflops: peak in 10^12 floating-point operations per second, accumulated in float32.
    """

    name: str
    precision: str
    tflops: float


CARDS = (
    Card("TITAN RTX (the paper's)", "float32", 16.3),
    Card("RTX 3090", "bfloat16", 71),
    Card("RTX 4090", "bfloat16", 165),
    Card("A100", "bfloat16", 312),
    Card("H100 SXM", "bfloat16", 989),
)

SHARE_OF_PEAK = (0.10, 0.40)
"""Lowest and highest share of a card's peak that the estimates assume for training.

The upper end is the best published share (`PUBLISHED`). The lower end is that share scaled to a card like
the H100, which has 14 times the arithmetic of an RTX 3090 but only 3.6 times its memory bandwidth, on the
assumption that memory is the bottleneck there, since these networks have many small layers.
"""


@dataclass(frozen=True)
class PublishedSpeed:
    """A published training speed of one of the networks, used to check `SHARE_OF_PEAK`.

    Attributes:
        source: who published it, and how the network was trained.
        arch: `v1` or `v2`.
        size: side of the images in pixels.
        images_per_second: training images per second on one card.
        card: name of the card.
        tflops: peak of the card in the precision that was used, in TFLOPS.
    """

    source: str
    arch: str
    size: int
    images_per_second: float
    card: str
    tflops: float

    @property
    def share(self) -> float:
        """The share of the card's peak that the network's matrix products reached."""
        macs = macs_per_image(TrainConfig(arch=self.arch, image_size=self.size, width=1.0))
        return self.images_per_second * macs * _PASSES * summary.FLOPS_PER_MAC / (self.tflops * 1e12)


PUBLISHED = (
    # Published as 275,000 steps of 90 images in 30 hours.
    PublishedSpeed(
        "facenet's guide, float32", "v1", 160, 275_000 * 90 / (30 * 3600), "Titan X (Pascal)", 11.0
    ),
    PublishedSpeed("timm, mixed precision", "v2", 299, 261, "RTX 3090", 71),
    PublishedSpeed("timm, mixed precision, channels last", "v2", 299, 359, "RTX 3090", 71),
)


@dataclass(frozen=True)
class Part:
    """A group of the paper's runs with equal cost.

    Attributes:
        train_set: `vggface2` or `ms1mv2`.
        config: configuration of one of the runs, with the paper's settings.
        runs: number of runs.
    """

    train_set: str
    config: TrainConfig
    runs: int

    @property
    def images(self) -> float:
        """Number of training images of one run; an image that is only embedded counts as a third of one."""
        c = self.config
        steps = c.epochs * c.steps_per_epoch
        return steps * c.batch_size + c.epochs * EVALUATED[self.train_set] / _PASSES

    @property
    def macs(self) -> float:
        """Multiply-accumulates of the forward pass of one image, including the classifier."""
        return macs_per_image(self.config) + self.config.embedding_size * IDENTITIES[self.train_set]

    @property
    def flops(self) -> float:
        """Floating-point operations of all runs of the group."""
        return self.runs * self.images * self.macs * _PASSES * summary.FLOPS_PER_MAC


def paper_parts() -> list[Part]:
    """Return the paper's 18 runs on its own data, grouped by cost."""
    counts: dict[tuple[str, str], int] = {}
    for setting in GRID:
        train_set = "ms1mv2" if setting.loss == "arcface" else "vggface2"
        counts[setting.arch, train_set] = counts.get((setting.arch, train_set), 0) + 1
    return [
        Part(train_set, TrainConfig.from_parameters({"arch": arch}, train_set), runs)
        for (arch, train_set), runs in counts.items()
    ]


def macs_per_image(config: TrainConfig) -> float:
    """Return the multiply-accumulates of the network's forward pass for one image, without the classifier."""
    settings = network_settings(config)
    return _macs(tuple((name, settings.get(name)) for name in _COSTS))


@cache
def _macs(settings: tuple[tuple[str, Any], ...]) -> int:
    return summary.macs_per_image(dict(settings))


def gpu_hours(card: Card, parts: list[Part]) -> tuple[float, float]:
    """Return the hours that one card needs for `parts`, at the upper and the lower end of `SHARE_OF_PEAK`."""
    hours = sum(part.flops for part in parts) / (card.tflops * 1e12 * 3600)
    return hours / SHARE_OF_PEAK[1], hours / SHARE_OF_PEAK[0]


def cpu_hours(step: Path, parts: list[Part]) -> float:
    """Return the hours for `parts` on the machine on which `benchmarks.step` wrote the file `step`.

    For image sizes other than the measured 160 px, the time is scaled by the multiply-accumulates.
    """
    cases = json.loads(step.read_text(encoding="utf-8"))["cases"]
    speeds = {case["title"]: case["speed"]["ours trainable"] for case in cases}
    seconds = 0.0
    for part in parts:
        arch = part.config.arch
        measured = TrainConfig(arch=arch, image_size=160, width=1.0)
        speed = speeds[f"{arch}, 160 px, batch 32"] * macs_per_image(measured) / part.macs
        seconds += part.runs * part.images / speed
    return seconds / 3600


def parts_table() -> Markdown:
    """Show the groups of the paper's runs with their size and their total operations."""
    header = (
        "runs",
        "network",
        "training set",
        "size",
        "images per run",
        "MACs per image",
        "total, 10¹⁵ operations",
    )
    rows = [
        (
            str(part.runs),
            part.config.arch,
            f"{part.train_set}, {part.config.loss}",
            f"{part.config.image_size}{NBSP}px",
            f"{part.images / 1e6:.1f}{NBSP}million",
            f"{part.macs / 1e9:.2f}{NBSP}G",
            f"{part.flops / 1e15:,.0f}",
        )
        for part in paper_parts()
    ]
    return Markdown(table(header, rows))


def hours_table(step: Path) -> Markdown:
    """Show the estimated hours of the whole paper track by card, and on the machine measured in `step`."""
    parts = paper_parts()
    machine = json.loads(step.read_text(encoding="utf-8"))["machine"]
    rows = [
        (card.name, card.precision, f"{card.tflops:g}", "{:,.0f} to {:,.0f}".format(*gpu_hours(card, parts)))
        for card in CARDS
    ]
    cores = f"{counted(machine['cores'], 'core')} of {machine['cpu']} ({machine['cpu_capability']})"
    rows.append((cores, "float32", "–", f"{cpu_hours(step, parts):,.0f}, from its measured speed"))
    return Markdown(table(("device", "precision", "peak, TFLOPS", "hours, estimated"), rows))


def check_table() -> Markdown:
    """Show published training speeds as shares of their card's peak, to compare with the assumed range."""
    rows = [
        (p.source, p.arch, f"{p.size}{NBSP}px", p.card, f"{p.images_per_second:.0f}", f"{p.share:.0%}")
        for p in PUBLISHED
    ]
    return Markdown(table(("published by", "network", "size", "card", "images/s", "of its peak"), rows))


def in_a_sentence() -> str:
    """State the estimated cost of the paper track in one sentence."""
    card = next(card for card in CARDS if card.name == "A100")
    fast, slow = gpu_hours(card, paper_parts())
    return (
        f"The paper's {len(GRID)} runs on its own data would take an {card.name} an estimated {fast:,.0f} to "
        f"{slow:,.0f} hours."
    )
