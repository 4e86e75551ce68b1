"""Figure 1: both networks from image to embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyBboxPatch

from trsfnet.report import style
from trsfnet.report.architecture.structure import HEAD, STEM, TRUNK, Network, Part, size
from trsfnet.report.display import Picture, picture
from trsfnet.text import counted, joined

_COLOURS = {STEM: style.look("v1-relu").colour, TRUNK: style.POSITIVE, HEAD: style.NEGATIVE}
# In inches, like all lengths in the drawing.
_BOX, _COLUMN, _GAP = 2.55, 4.0, 0.15
_LOW, _TALL, _STACK = 0.28, 0.46, 0.08


def overview(networks: Sequence[Network]) -> Picture:
    """Draw the paper's figure 1, with a column for each of `networks`."""
    tops = _tops(networks)
    bottom = min(tops.values()) - 0.5
    with style.panels(1, 1, 0.1 - bottom) as (figure, ((axes,),)):
        axes.set(xlim=(-0.75, 2 * _COLUMN - 0.75), ylim=(bottom, 0.1))
        axes.set_axis_off()
        for section in _COLOURS:
            axes.text(-0.7, tops[section, 0] - 0.14, section, weight="bold", va="center")
        for column, net in enumerate(networks):
            _column(axes, net, column * _COLUMN + 0.2, tops)
    return picture(figure, alt=_alt(networks), caption=_caption(networks))


def _height(part: Part) -> float:
    return _TALL if part.scales else _LOW


def _tops(networks: Sequence[Network]) -> dict[tuple[str, int], float]:
    """Return the top of each row by section and row; networks share them so that like parts are aligned."""
    tops, y = {}, -0.72
    for section in _COLOURS:
        columns = [net.layers(section) for net in networks]
        for row in range(max(map(len, columns))):
            tops[section, row] = y
            y -= max(_height(column[row]) for column in columns if row < len(column)) + _GAP
        y -= 0.1
    return tops


def _column(axes: Axes, net: Network, left: float, tops: dict[tuple[str, int], float]) -> None:
    totals = f"{counted(len(net.model.scales()), 'scale')}, {counted(len(net.model.slopes()), 'slope')}"
    millions = f"{net.parameters / 1e6:.1f} million parameters"
    axes.text(left, -0.1, f"Inception-ResNet {net.version}", weight="bold", va="center")
    axes.text(left, -0.32, f"{totals}, {millions}", va="center", fontsize=9)
    centre = left + _BOX / 2
    edges = []
    for section in _COLOURS:
        for row, part in enumerate(net.layers(section)):
            top = tops[section, row]
            _box(axes, part, left, top)
            axes.text(left + _BOX + 0.12, top - _height(part) / 2, size(part.shape), va="center", fontsize=9)
            edges.append((top, top - _height(part) - (_STACK if len(part.blocks) > 1 else 0)))
    side = net.model.input_size
    axes.text(left + _BOX + 0.12, edges[0][0] + 0.1, f"{side} × {side} × 3", va="center", fontsize=9)
    for (_, start), (end, _) in pairwise([(0, edges[0][0] + 0.18), *edges]):
        arrow = {"arrowstyle": "-|>", "color": style.INK, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (centre, end), (centre, start), arrowprops=arrow | {"mutation_scale": 7})


def _box(axes: Axes, part: Part, left: float, top: float) -> None:
    height, colour = _height(part), _COLOURS[part.section]
    rounded = "round,pad=0,rounding_size=0.05"
    box = FancyBboxPatch((left, top - height), _BOX, height, boxstyle=rounded, ec=colour, lw=1.2)
    box.set_facecolor(to_rgba(colour, 0.14))
    axes.add_patch(box)
    # Repeated modules are drawn as a stack of sheets.
    for sheet in (1, 2) if len(part.blocks) > 1 else ():
        indent, y = 0.05 * sheet, top - height - _STACK * sheet / 2
        axes.plot([left + indent, left + _BOX - indent], [y, y], color=colour, lw=1.2)
    x, middle = left + _BOX / 2, top - height / 2
    if not part.scales:
        words = f"{part.title}, unscaled" if part.blocks else part.title
        axes.text(x, middle, words, ha="center", va="center", fontsize=9.5)
        return
    numbers = f"{counted(part.scales, 'scale')}, {counted(part.slopes, 'slope')}"
    axes.text(x, middle + 0.1, part.title, ha="center", va="center", fontsize=9.5)
    axes.text(x, middle - 0.1, numbers, ha="center", va="center", fontsize=8.5)


def _alt(networks: Sequence[Network]) -> str:
    return "Two columns of boxes joined by arrows. " + " ".join(
        f"Inception-ResNet {net.version}: {'; '.join(p.title for p in net.parts)}." for net in networks
    )


def _caption(networks: Sequence[Network]) -> str:
    def counts(number: Callable[[Network], int]) -> str:
        return joined([f"{number(net)} in {net.version}" for net in networks])

    return (
        "The paper's figure 1, drawn from our networks: their parts in order, with the size of each output "
        "for one image. "
        f"Layers of the stem: {counts(lambda net: len(net.layers(STEM)))}, where v2's Mixed_5b counts as "
        "one. All trainable scales "
        f"({counts(lambda net: sum(part.scales for part in net.parts))}) are in residual modules. Slopes "
        f"({counts(lambda net: sum(part.slopes for part in net.parts))}) are in all parts with activations."
    )
