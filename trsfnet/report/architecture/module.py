"""Figure 2: the residual module with its scale."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Circle, FancyBboxPatch
from torch import nn

from trsfnet.models.inception_resnet import ResidualBlock
from trsfnet.models.layers import ConvNormAct
from trsfnet.report import style
from trsfnet.report.architecture.structure import Network, Part, layer, size, times
from trsfnet.report.display import Picture, picture
from trsfnet.text import joined

_WIDTH, _HEIGHT, _RADIUS = 0.62, 0.48, 0.1
_ROW = 0.66  # distance between branches
_TRUNK = 0.72  # distance from the first branch up to the direct map
_SCALE, _SLOPE = style.POSITIVE, style.NEGATIVE


def modules(network: Network) -> Picture:
    """Draw the paper's figure 2 for every kind of residual module in `network`."""
    kinds = [part for part in network.parts if part.blocks]
    shown = [part for part in kinds if len(part.blocks) > 1]
    heights = [_ROW * (len(part.blocks[0].branch_names) - 1) + _TRUNK + 0.9 for part in shown]
    with style.panels(len(shown), 1, sum(heights), height_ratios=heights) as (figure, panels):
        for axes, part in zip(panels[:, 0], shown, strict=True):
            _module(axes, part)
    last = [part for part in kinds if len(part.blocks) == 1]
    caption = (
        f"The paper's figure 2, drawn from {network.version}: kernel and channels of each convolution. Each "
        "α is an activation with its own slope; s is the trainable scale: y = α(x + s · Inception(x))."
        + "".join(_exception(part) for part in last)
    )
    return picture(figure, alt=_alt(network.version, shown), caption=caption)


def chains(block: ResidualBlock) -> list[list[ConvNormAct]]:
    """Return the convolutions of each branch of a residual module."""
    branches = [getattr(block, name) for name in block.branch_names]
    return [[m for m in branch.modules() if isinstance(m, ConvNormAct)] for branch in branches]


def _module(axes: Axes, part: Part) -> None:
    block = part.blocks[0]
    branches = chains(block)
    after = max(map(len, branches)) + 1
    join, up, scale, total, act, out = (after + step for step in (0.0, 0.85, 1.75, 2.5, 3.25, 4.0))
    bottom = -_ROW * (len(branches) - 1)
    middle = bottom / 2
    axes.set(xlim=(-0.35, 8.0), ylim=(bottom - 0.4, _TRUNK + 0.3))
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(f"{part.title}, on {size(part.shape)}", loc="left", weight="bold")

    axes.text(-0.1, _TRUNK, "x", ha="center", va="center", style="italic")
    _line(axes, (0.05, _TRUNK), (total, _TRUNK), (total, middle + 0.16), arrow=True)
    axes.text((after + scale) / 2, _TRUNK + 0.08, "direct map", ha="center", va="bottom", fontsize=9)
    _line(axes, (0.2, _TRUNK), (0.2, bottom))
    for row, chain in enumerate(branches):
        y = -_ROW * row
        x = 0.2
        for column, unit in enumerate(chain, start=1):
            _line(axes, (x, y), (column - _WIDTH / 2, y), arrow=True)
            _box(axes, column, y, f"{layer(unit)}\n{unit.conv.out_channels}")
            x = column + _WIDTH / 2
            if isinstance(unit.act, nn.PReLU):
                _node(axes, x + _RADIUS, y, "α", _SLOPE, radius=_RADIUS)
                x += 2 * _RADIUS
        _line(axes, (x, y), (join - 0.15, y))
    _line(axes, (join - 0.15, 0), (join - 0.15, bottom))
    axes.text(join - 0.09, middle + 0.06, str(block.branch_channels), va="bottom", fontsize=8.5)
    _line(axes, (join - 0.15, middle), (up - _WIDTH / 2, middle), arrow=True)
    _box(axes, up, middle, f"{times(block.up.conv.kernel_size)}\n{block.up.conv.out_channels}")
    _line(axes, (up + _WIDTH / 2, middle), (scale - 0.2, middle), arrow=True)
    _node(axes, scale, middle, "s" if block.up.scale is not None else f"{block.up.value:g}", _SCALE)
    _line(axes, (scale + 0.2, middle), (total - 0.16, middle), arrow=True)
    _node(axes, total, middle, "+", style.INK, radius=0.16)
    _line(axes, (total + 0.16, middle), (act - 0.2, middle), arrow=True)
    _node(axes, act, middle, "α", _SLOPE)
    _line(axes, (act + 0.2, middle), (out - 0.1, middle), arrow=True)
    axes.text(out, middle, "y", ha="center", va="center", style="italic")


def _box(axes: Axes, x: float, y: float, words: str) -> None:
    corner = (x - _WIDTH / 2, y - _HEIGHT / 2)
    rounded = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch(corner, _WIDTH, _HEIGHT, boxstyle=rounded, fc="none", ec=style.INK, lw=1))
    axes.text(x, y, words, ha="center", va="center", fontsize=9, linespacing=1.1)


def _node(axes: Axes, x: float, y: float, words: str, colour: str, *, radius: float = 0.2) -> None:
    circle = Circle((x, y), radius, ec=colour, lw=1.4, zorder=3)
    circle.set_facecolor(to_rgba(colour, 0 if colour == style.INK else 0.2))
    axes.add_patch(circle)
    axes.text(x, y, words, ha="center", va="center_baseline", fontsize=9 if radius < 0.15 else 11, zorder=4)


def _line(axes: Axes, *points: tuple[float, float], arrow: bool = False) -> None:
    xs, ys = zip(*points, strict=True)
    axes.plot(xs, ys, color=style.INK, lw=0.9, solid_capstyle="butt", zorder=1)
    if arrow:
        look = {"arrowstyle": "-|>", "color": style.INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", points[-1], points[-2], arrowprops=look | {"mutation_scale": 8})


def _exception(part: Part) -> str:
    block = part.blocks[0]
    scaled = "a scale" if part.scales else "no scale"
    activated = "" if isinstance(block.act, nn.PReLU) else " and no activation after the sum"
    return f" One more {part.title} follows the last stage; it has {scaled}{activated}."


def _alt(version: str, parts: list[Part]) -> str:
    return f"The residual modules of Inception-ResNet {version}. " + " ".join(
        f"{part.title}: "
        + "; ".join(
            "branch of " + joined([f"{layer(u)} to {u.conv.out_channels}" for u in chain])
            for chain in chains(part.blocks[0])
        )
        + f"; joined to {part.blocks[0].branch_channels} channels, projected, scaled and added to the input."
        for part in parts
    )
