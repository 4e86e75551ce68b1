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
    SeedSpread,
    most_precise,
    seeds_planned,
    sensitivities,
    smallest_difference,
    tests_planned,
)
from trsfnet.experiments.variants import short_name, table_variants
from trsfnet.paper.claims import paper_claims
from trsfnet.report import style
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.report.figures import legend_below
from trsfnet.report.names import MEASURE_NAMES, name_of_campaign, tar_difference
from trsfnet.text import capitalised, counted, joined, p_value, with_range

_SEEDS = range(2, 13)
# Number of variants of one network in tables 1 and 2, over which the spread is pooled.
_POOLED = len(table_variants(1))


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
            MEASURE_NAMES[measures(s.track, s.budget)[0]],
            f"{s.runs} of {counted(s.variants, 'variant')}",
            with_range(s.deviation, *s.bounds, lambda share: f"{100 * share:.1f}"),
            spread_range(s),
            "–" if s.p_equal is None else p_value(s.p_equal),
        )
        for s in spreads
    ]
    caption = (
        "Standard deviation (SD) of TAR between seeds of one variant, in points, pooled over the variants "
        "with two or more finished seeds. Next to it are the smallest and the largest SD of a single variant "
        "and the p value of Bartlett's test that all are equal. Our networks are smaller and trained for a "
        "shorter time than the paper's, which may vary less."
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


def sensitivity_table(found: Analysis) -> Markdown:
    """Tabulate the main comparisons of accuracy with both choices of the variants pooled for their error."""
    rows = []
    for question, (claim, *_) in QUESTIONS.items():
        for s in sensitivities(found.campaigns_on([claim]), claim):
            runs = capitalised(name_of_campaign(s.track, f"{s.budget} budget"))
            rows.append((runs, question, s.comparison, tar_difference(s.pooled), tar_difference(s.own)))
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
    known = {track: spread for track in MEASURES if (spread := most_precise(spreads, track))}
    if not known:
        return Markdown(
            "Without two finished seeds of a variant, the number of seeds needed cannot be estimated."
        )
    with style.panels(1, len(known), 4.2) as (figure, (axes,)):
        for panel, (track, spread) in zip(axes, known.items(), strict=True):
            _curves(panel, spread)
            _plan(panel, spread)
            panel.set(
                title=f"{track}: SD {100 * spread.deviation:.1f} points", xlabel="Seeds of each variant"
            )
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].set_ylabel("Minimum detectable difference (points of TAR)")
        legend_below(figure, axes[0])
    found = "; ".join(_finding(track, spread) for track, spread in known.items())
    sources = joined([f"{track}: {s.budget}, {network(s)}" for track, s in known.items()])
    caption = (
        f"The minimum detectable difference between two variants with a power of {100 * POWER:.0f} %, from "
        f"the most precisely known spread of each track ({sources}), as if pooled over the {_POOLED} "
        f"variants of a table. The bands use the ends of the spread's own 95 % interval. {found}."
    )
    alt = f"Curves that fall with the number of seeds, the planned numbers marked. {found}."
    return picture(figure, alt=alt, caption=caption)


def _difference(deviation: float, seeds: int, tests: int) -> float:
    """Return the minimum detectable difference in points of TAR."""
    return 100 * smallest_difference(deviation, seeds=seeds, variants=_POOLED, tests=tests)


def _curves(panel: Axes, spread: SeedSpread) -> None:
    tests = tests_planned(spread.track)
    looks = ((1, style.POSITIVE, "-", "alone"), (tests, style.NEGATIVE, "--", "first of all claims (Holm)"))
    for number, colour, dashes, label in looks:
        best, worst = ([_difference(bound, n, number) for n in _SEEDS] for bound in spread.bounds)
        panel.fill_between(_SEEDS, best, worst, color=colour, alpha=0.15, linewidth=0)
        panel.plot(
            _SEEDS,
            [_difference(spread.deviation, n, number) for n in _SEEDS],
            dashes,
            color=colour,
            label=label,
        )
    # The band of a poorly known spread would otherwise flatten all other curves.
    panel.set_ylim(0, 1.5 * _difference(spread.deviation, _SEEDS[0], tests))


def _plan(panel: Axes, spread: SeedSpread) -> None:
    """Mark the planned numbers of seeds with vertical lines."""
    planned = seeds_planned(spread.budget, spread.track)
    for seeds, parts in planned.items():
        panel.axvline(seeds, color=style.INK, linewidth=0.9, linestyle=":")
        text = "all" if len(planned) == 1 else joined(parts)
        panel.text(seeds + 0.1, panel.get_ylim()[1], text, rotation=90, va="top", fontsize=9)


def _finding(track: str, spread: SeedSpread) -> str:
    seeds = max(seeds_planned(spread.budget, track))
    tests = tests_planned(track)
    alone, corrected = (_difference(spread.deviation, seeds, n) for n in (1, tests))
    return f"{track}, {seeds} seeds: {alone:.1f} points alone, {corrected:.1f} as the first of {tests} claims"


def power_table(spreads: Sequence[SeedSpread]) -> Markdown | None:
    """Tabulate the differences that the planned seeds can detect; None without an estimate of the spread."""
    known = [spread for track in MEASURES if (spread := most_precise(spreads, track))]
    if not known:
        return None
    rows = [
        (
            f"`{spread.track}`",
            joined(parts),
            str(seeds),
            *(_with_bounds(spread, seeds, tests) for tests in (1, tests_planned(spread.track))),
        )
        for spread in known
        for seeds, parts in seeds_planned(spread.budget, spread.track).items()
    ]
    header = ("Track", "Variants of", "Seeds", "Detectable alone", "Detectable as first of all claims")
    caption = (
        "Minimum detectable differences between two variants, in points of TAR, for the planned seeds and a "
        f"power of {100 * POWER:.0f} %; in brackets, for the ends of the spread's 95 % interval. Means over "
        "several variants on each side can detect smaller differences."
    )
    return Markdown(captioned(caption, "power", table(header, rows)))


def _with_bounds(spread: SeedSpread, seeds: int, tests: int) -> str:
    return with_range(
        spread.deviation, *spread.bounds, lambda deviation: f"{_difference(deviation, seeds, tests):.1f}"
    )


def plan(spreads: Sequence[SeedSpread]) -> str:
    """State how many seeds were planned on LFW, and when."""
    tests, spread = tests_planned("lfw"), most_precise(spreads, "lfw")
    budget = spread.budget if spread else "full"
    parts_by_seeds = seeds_planned(budget, "lfw").items()
    seeds = joined([f"{number} for {joined(parts)}" for number, parts in parts_by_seeds])
    return (
        f"On LFW, with the budget {budget}, the seeds of each variant are {seeds}. These numbers were fixed "
        "before we looked at any comparison on LFW with that budget. This calculation shows what they can "
        "detect, based on a spread that is itself an estimate with an interval. Of the paper's "
        f"{len(paper_claims())} claims, {tests} can be tested on these runs, so the first must have a p "
        f"value below {ALPHA / tests:.4f}."
    )
