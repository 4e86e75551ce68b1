"""How many seeds are needed to detect a difference, as a figure and tables."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trsfnet.analysis import Analysis
from trsfnet.analysis.contrasts import POWER
from trsfnet.analysis.findings import ALPHA
from trsfnet.analysis.measures import MEASURES, measures
from trsfnet.analysis.power import (
    PLANNED_TABLES,
    SeedSpread,
    planned_tests,
    seeds_planned,
    sensitivities,
    smallest_difference,
    table_spread,
)
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.experiments.variants import short_name, table_variants
from trsfnet.paper.claims import paper_claims
from trsfnet.report import style
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.report.figures import legend_below
from trsfnet.report.names import effect_in_words, measure_header, name_of_campaign, short_track
from trsfnet.text import capitalised, counted, joined, p_in_text, p_value, with_range

_SEEDS = range(2, 13)
# The first table of each network and loss, over whose variants the spread is pooled.
_NETWORKS = (1, 2, 3)
# Those in the figure. The spread of table 3, from two variants, is too poorly known for a curve.
_DRAWN = (1, 2)


def spreads_table(spreads: Sequence[SeedSpread]) -> Markdown:
    """Tabulate the standard deviation between seeds on our tracks, with its confidence interval."""
    if not spreads:
        return Markdown("None of our variants has two finished seeds yet.")
    header = (
        "Track",
        "Network",
        "Measure",
        "Runs",
        "SD (95 % interval)",
        "SD of single variants",
        "p if equal",
    )
    rows = [
        (
            capitalised(name_of_campaign(s.track, f"{s.budget} budget")),
            network(s),
            measure_header(measures(s.track, s.budget)[0], s.track),
            f"{s.runs} of {counted(s.variants, 'variant')}",
            with_range(s.deviation, *s.bounds, lambda share: f"{100 * share:.1f}"),
            spread_range(s),
            "–" if s.p_equal is None else p_value(s.p_equal),
        )
        for s in spreads
    ]
    caption = (
        "Standard deviation (SD) of TAR between seeds of one variant, in points, pooled over the variants "
        "with two or more finished seeds. Of studies with several learning rates, the runs at one rate "
        "are counted. Next to it are the smallest and the largest SD of a single variant and the p value of "
        "Bartlett's test that all are equal. Our networks are smaller and trained for a shorter time than "
        "the paper's, which may vary less."
    )
    return Markdown(captioned(caption, "our-seeds", table(header, rows)))


def network(spread: SeedSpread) -> str:
    """Return the network's name, such as `v1`, with the loss unless it is softmax."""
    return spread.arch if spread.loss == "softmax" else f"{spread.arch}, ArcFace"


def spread_range(spread: SeedSpread) -> str:
    """Return the variants that vary least and most, such as `0.8 (v1) to 2.1 (v1 + PReLU)`."""
    low, high = (choose(spread.each, key=lambda v: spread.each[v]) for choose in (min, max))
    shown = [f"{100 * spread.each[v]:.1f} ({short_name(v)})" for v in (low, high)]
    return " to ".join(dict.fromkeys(shown))


def unequal(spread: SeedSpread) -> str:
    """State that the seeds of single variants vary too differently to be pooled; empty unless they do."""
    if spread.p_equal is None or spread.p_equal >= ALPHA:
        return ""
    return (
        f"the standard deviation of TAR between seeds of {network(spread)}, in points, ranges from "
        f"{spread_range(spread)}, more than chance suggests (Bartlett's test, {p_in_text(spread.p_equal)}). "
        "Except among the initial slopes of table 6, the rules pool it over all variants of this network, "
        "those of other tables included, so most intervals of their comparisons are too wide and some too "
        "narrow."
    )


def sensitivity_table(found: Analysis) -> Markdown:
    """Tabulate the main comparisons of accuracy with both choices of the variants pooled for their error."""
    rows, tar = [], QUANTITIES["tar"]
    for question, (claim, *_) in QUESTIONS.items():
        for s in sensitivities(found.campaigns_on([claim]), claim):
            runs = capitalised(name_of_campaign(s.track, f"{s.budget} budget"))
            effects = (effect_in_words(each, tar) for each in (s.pooled, s.own))
            rows.append((runs, question, s.comparison, *effects))
    if not rows:
        return Markdown("No comparison of accuracy has two finished seeds of each variant yet.")
    header = ("Runs", "Question", "Comparison", "By the rule", "Spread of the compared variants")
    caption = (
        "The comparisons of accuracy behind the main claims, with 95 % intervals: by the rule, which pools "
        "the spread over all variants of a version and a loss, and with the spread of the compared variants "
        "alone, which decides nothing."
    )
    return Markdown(captioned(caption, "own-spreads", table(header, rows)))


def power_figure(spreads: Sequence[SeedSpread]) -> Picture | Markdown:
    """Plot the minimum detectable difference by number of seeds, for one test and for Holm's first step."""
    drawn = ((track, number) for track in MEASURES for number in _DRAWN)
    known = [spread for track, number in drawn if (spread := table_spread(spreads, track, number))]
    if not known:
        return Markdown(
            "Without two finished seeds of a variant, the number of seeds needed cannot be estimated."
        )
    tracks = list(dict.fromkeys(spread.track for spread in known))
    with style.panels(len(tracks), len(_DRAWN), 0.8 + 3.2 * len(tracks)) as (figure, axes):
        for panel in axes.flat:
            panel.set_axis_off()
        panels = [axes[tracks.index(s.track), [s.is_of(n) for n in _DRAWN].index(True)] for s in known]
        for panel, spread in zip(panels, known, strict=True):
            panel.set_axis_on()
            _curves(panel, spread)
            _plan(panel, spread)
            panel.set_title(f"{_of(spread)}: SD {100 * spread.deviation:.1f} points")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.set_xlabel("Seeds of each variant")
        figure.supylabel("Minimum detectable difference (points of TAR)", fontsize=11)
        legend_below(figure, panels[0])
    found = "; ".join(map(_finding, known))
    caption = (
        f"The minimum detectable difference between two variants with a power of {100 * POWER:.0f} %. It "
        "uses the most precise estimate of the spread for each network and track, studies excluded, and "
        "assumes that this spread is pooled over the variants of table 1 or 2. Dotted lines mark the planned "
        f"seeds of each table. The bands use the ends of the spread's own 95 % interval. {found}."
    )
    alt = f"Curves that fall with the number of seeds, the planned numbers marked. {found}."
    return picture(figure, alt=alt, caption=caption)


def _of(spread: SeedSpread) -> str:
    """Return the track and the network of a spread, such as `Rendered faces, v1`."""
    return f"{capitalised(short_track(spread.track))}, {network(spread)}"


def _difference(spread: SeedSpread, seeds: int, tests: int, deviation: float | None = None) -> float:
    """Return the minimum detectable difference in points of TAR.

    Args:
        spread: the spread; its network determines over how many variants it is pooled.
        seeds: number of seeds of each variant.
        tests: number of tests that share the level.
        deviation: an end of the interval of the spread, to use in its place.
    """
    pooled = next(len(table_variants(number)) for number in _NETWORKS if spread.is_of(number))
    deviation = spread.deviation if deviation is None else deviation
    return 100 * smallest_difference(deviation, seeds=seeds, variants=pooled, tests=tests)


def _curves(panel: Axes, spread: SeedSpread) -> None:
    tests = planned_tests(spread)
    looks = ((1, style.POSITIVE, "-", "alone"), (tests, style.NEGATIVE, "--", "first of all claims (Holm)"))
    for number, colour, dashes, label in looks:
        best, worst = ([_difference(spread, n, number, end) for n in _SEEDS] for end in spread.bounds)
        panel.fill_between(_SEEDS, best, worst, color=colour, alpha=0.15, linewidth=0)
        panel.plot(
            _SEEDS, [_difference(spread, n, number) for n in _SEEDS], dashes, color=colour, label=label
        )
    # The band of a poorly known spread would otherwise flatten all other curves.
    panel.set_ylim(0, 1.5 * _difference(spread, _SEEDS[0], tests))


def _plan(panel: Axes, spread: SeedSpread) -> None:
    """Mark the planned numbers of seeds with vertical lines."""
    tables: dict[int, list[str]] = {}
    for number, seeds in _planned(spread).items():
        tables.setdefault(seeds, []).append(f"table {number}")
    for seeds, names in tables.items():
        panel.axvline(seeds, color=style.INK, linewidth=0.9, linestyle=":")
        panel.text(seeds + 0.1, panel.get_ylim()[1], joined(names), rotation=90, va="top", fontsize=9)


def _planned(spread: SeedSpread) -> dict[int, int]:
    """Return the planned seeds of each variant by table, for the tables of the spread's network."""
    planned = seeds_planned(spread.budget, spread.track)
    return {number: seeds for number, seeds in planned.items() if spread.is_of(number)}


def _finding(spread: SeedSpread) -> str:
    seeds, tests = max(_planned(spread).values()), planned_tests(spread)
    alone, corrected = (_difference(spread, seeds, n) for n in (1, tests))
    return (
        f"{_of(spread)}, {spread.budget} budget, {seeds} seeds: {alone:.1f} points alone, {corrected:.1f} as "
        f"the first of {tests} claims"
    )


def power_table(spreads: Sequence[SeedSpread]) -> Markdown | None:
    """Tabulate the differences that the planned seeds can detect; None without an estimate of the spread."""
    rows = [
        _power_row(number, spread)
        for track in MEASURES
        for number in PLANNED_TABLES
        # The spreads of table 6 are not pooled, so that each comparison has its own.
        if number != 6 and (spread := table_spread(spreads, track, number))
    ]
    if not rows:
        return None
    header = ("Runs", "Table", "SD", "Seeds", "Detectable alone", "Detectable as first of all claims")
    caption = (
        "Minimum detectable differences between two variants of one of the paper's tables, in points of TAR, "
        "from the standard deviation (SD) between seeds of the table's network, for the planned seeds (not "
        f"all of which have run) and a power of {100 * POWER:.0f} %; in brackets, for the ends of the 95 % "
        "interval of the SD. Means over several variants on each side can detect smaller differences."
    )
    return Markdown(captioned(caption, "power", table(header, rows)))


def _power_row(number: int, spread: SeedSpread) -> tuple[str, ...]:
    seeds = seeds_planned(spread.budget, spread.track)[number]
    return (
        capitalised(name_of_campaign(spread.track, f"{spread.budget} budget")),
        f"{number} ({network(spread)})",
        f"{100 * spread.deviation:.1f}",
        str(seeds),
        *(_with_bounds(spread, seeds, tests) for tests in (1, planned_tests(spread))),
    )


def _with_bounds(spread: SeedSpread, seeds: int, tests: int) -> str:
    return with_range(
        spread.deviation,
        *spread.bounds,
        lambda deviation: f"{_difference(spread, seeds, tests, deviation):.1f}",
    )


def plan(spreads: Sequence[SeedSpread]) -> str:
    """State how many seeds were planned on LFW, when, and how many claims Holm's procedure corrects for."""
    spread = table_spread(spreads, "lfw", 1)
    budget = spread.budget if spread else "full"
    planned = [f"{seeds} for table {number}" for number, seeds in seeds_planned(budget, "lfw").items()]
    text = (
        f"On LFW, with the budget {budget}, the seeds of each variant are {joined(planned)}. A variant of "
        "two tables has the seeds of the first. These numbers were fixed before we looked at any comparison "
        "on LFW with that budget. This calculation shows what they can detect, based on a spread that is "
        "itself an estimate with an interval."
    )
    if not spread:
        return text
    tests = planned_tests(spread)
    return (
        f"{text} Of the paper's {len(paper_claims())} claims, {tests} can be tested statistically on these "
        "runs; the others are out of their reach or need other runs, or need no test, as counts do. Holm's "
        f"procedure corrects for all {tests}, so the first must have a p value below {ALPHA / tests:.4f}."
    )
