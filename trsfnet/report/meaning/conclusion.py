"""Whether the branches play a larger role with TRSF, in sentences and as verdicts on the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trsfnet.analysis import Analysis
from trsfnet.analysis.averages import MEANS
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.tables import TableRuns
from trsfnet.analysis.units import FACTOR
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.paper.claims import paper_claims
from trsfnet.report.claims.subjects import by_subject
from trsfnet.report.claims.tables import claims_table, outcome_link
from trsfnet.report.display import Markdown, captioned
from trsfnet.report.display import table as markdown_table
from trsfnet.report.meaning.tables import ratio_gain
from trsfnet.report.names import runs_in_words
from trsfnet.text import capitalised, counted, joined

_MORE = "branches-matter-more"
_NOTHING = "No finished run with TRSF has a counterpart with constants and recorded ratios."


def scale_claims(found: Analysis) -> Markdown:
    """Tabulate the paper's claims on the role of the branches with the verdicts of all campaigns."""
    on_branches = by_subject()["The role of the branches"]
    claims = [c for c in paper_claims() if c in on_branches or c.id in ("scales-around-1", "main-reason")]
    return claims_table("What the paper concludes from the scales", claims, found)


def answer(tables: Sequence[TableRuns]) -> Markdown:
    """Count the comparisons in which the branches add more, or less, with TRSF than with constants.

    Only runs of the same track, budget and loss are counted together.
    """
    by_runs = _comparisons(tables)
    if not by_runs:
        return Markdown(_NOTHING)
    counts = "\n".join(f"- {capitalised(runs)}: {_counts(found)}" for runs, found in by_runs.items())
    return Markdown(
        "**Do the branches add more to their trunk with TRSF than with constants?** A comparison counts as "
        "more (or less) if the 95 % intervals of all three averages over modules, the geometric mean, the "
        f"arithmetic mean and the median, lie above (or below) 1.\n\n{counts}"
    )


def _comparisons(tables: Sequence[TableRuns]) -> dict[str, list[dict[str, Effect]]]:
    """Return the effects of TRSF on all means of the ratio: a list of comparisons by runs and loss."""
    by_runs: dict[str, list[dict[str, Effect]]] = {}
    for table in tables:
        for fixed, trained in table.branches.pairs:
            effects = {mean: table.branches.ratio_effect(fixed, trained, mean) for mean in MEANS}
            known = {mean: effect for mean, effect in effects.items() if effect}
            if len(known) == len(MEANS):
                by_runs.setdefault(_runs(table), []).append(known)
    return by_runs


def _runs(table: TableRuns) -> str:
    """Return the runs of a table in words, with the loss if it is not softmax."""
    return f"{runs_in_words(table)}, ArcFace" if _with_arcface(table) else runs_in_words(table)


def _with_arcface(table: TableRuns) -> bool:
    return all(variant_of(variant).loss == "arcface" for variant in table.cells)


def _more(found: Sequence[Mapping[str, Effect]]) -> int:
    """Count the comparisons in which the branches add more with TRSF by all means."""
    return sum(all(effect.interval.low > 0 for effect in effects.values()) for effects in found)


def _counts(found: Sequence[Mapping[str, Effect]]) -> str:
    if len(found) == 1:
        (effects,) = found
        values = [FACTOR.text(effect.estimate) for effect in effects.values()]
        return f"{_agreement(_more(found), 1)}: {joined(values)} times."
    less = sum(all(effect.interval.high < 0 for effect in effects.values()) for effects in found)
    tenfold = sum(all(effect.interval.high >= 1 for effect in effects.values()) for effects in found)
    return (
        f"they add more in {_more(found)} and less in {less} of {counted(len(found), 'comparison')}. All "
        f"three intervals reach a factor of ten in {tenfold or 'none'} of them."
    )


def verdict(tables: Sequence[TableRuns]) -> Markdown:
    """State whether the branches add more with TRSF than with constants, and tabulate how much."""
    rows = [row for table in tables for row in _rows(table)]
    if not rows:
        return Markdown(_NOTHING)
    least, _ = paper_rules()["order-of-magnitude"].bounds
    assert least is not None  # the claim is that the factor is large
    caption = (
        "Final residual ratio with TRSF, divided by that with constants, with 95 % intervals for each row "
        f"alone. The paper speaks of an order of magnitude; the claims count a factor above "
        f"{FACTOR.text(least)} as one. Rows with different budgets are not comparable."
    )
    header = ("Network", "Runs", "Geometric mean", "Arithmetic mean", "Median", "Mean |s|")
    body = captioned(caption, "branches-verdict", markdown_table(header, rows))
    return Markdown(f"{_conclusions(tables)}\n\n{body}")


def _conclusions(tables: Sequence[TableRuns]) -> str:
    """State by runs in how many comparisons the branches add more, and the verdict of the claim."""
    verdicts = {
        _runs(table): "the claim is about the softmax loss alone"
        if _with_arcface(table)
        else f"the claim over all of them is {outcome_link(_MORE, table.campaign)}"
        for table in tables
    }
    return "\n".join(
        f"- {capitalised(runs)}: {_agreement(_more(found), len(found))}; {verdicts[runs]}."
        for runs, found in _comparisons(tables).items()
    )


def _agreement(number: int, of: int) -> str:
    """State in how many comparisons the branches add more with TRSF by all averages."""
    if of == 1:
        return f"the intervals of the three averages {'all' if number else 'do not all'} lie above 1"
    every = "both" if of == 2 else f"all {of}"
    where = every if number == of else f"{number} of {of}"
    return f"the intervals of all three averages lie above 1 in {where} comparisons"


def _rows(table: TableRuns) -> list[tuple[str, ...]]:
    runs = table.branches
    return [
        (
            short_name(trained),
            capitalised(runs_in_words(table)),
            *(ratio_gain(runs, fixed, trained, mean) for mean in ("geometric", "arithmetic", "median")),
            f"{np.mean([b.scale[b.trained].iloc[-1].mean() for b in runs.by_variant[trained].values()]):.2f}",
        )
        for fixed, trained in runs.pairs
    ]
