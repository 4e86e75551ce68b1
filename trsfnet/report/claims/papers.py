"""The paper's own numbers for what a claim compares."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.paper.claims import Cells, Contrast, Count, Rule, Spread
from trsfnet.paper.numbers import paper_figure, paper_quantities, paper_table
from trsfnet.report.claims.wording import unit
from trsfnet.report.names import listed


def papers_number(rule: Rule, name: str | None = None) -> str:
    """The paper's own number for a claim or for one of its comparisons, by name; a dash if it has none."""
    values = papers_values(rule)
    if name is not None:
        values = {name: values[name]} if name in values else {}
    if not values:
        return "–"
    if isinstance(rule, Count):
        text = listed([f"{value:,.0f}" for value in values.values()])
        return text if rule.unit == 1 else f"{text} million"
    differs = not isinstance(rule, Cells) and any(" - " in key for key in values)
    of = unit(rule, difference=differs)
    # Accuracies and scales are printed with a digit more than ours are worth.
    extra = 0 if rule.quantity.startswith("slope") else 1
    low, high = min(values.values()), max(values.values())
    if low == high:
        return of.text(low, extra)
    return f"{of.bare(low, extra)} to {of.text(high, extra)}"


def papers_values(rule: Rule) -> dict[str, float]:
    """The paper's numbers for what `rule` measures, by the name of the comparison."""
    match rule:
        case Count():
            numbers = paper_quantities()
            return {f"{rule.count} of {arch}": numbers[name].value for arch, name in rule.quantities.items()}
        case Cells():
            return {f"{setting} - published": value for setting, value in cells_of(rule).items()}
        case Contrast() if rule.published:
            return {str(rule.contrasts[0]): paper_quantities()[rule.published].share}
        case Contrast():
            published = _published(rule.quantity)
            return {
                str(means): sum(weight * published[setting] for setting, weight in means.weights.items())
                for means in rule.contrasts
                if means.weights.keys() <= published.keys()
            }
        case Spread():
            published = _published(rule.quantity)
            values = [published[setting] for setting in rule.settings]
            return {"best - worst": max(values) - min(values)}
    return {}


def cells_of(rule: Cells) -> dict[str, float]:
    """The published values that `rule` compares with, by setting."""
    cells = {s: v for number in rule.tables for s, v in paper_table(number).by_setting.items()}
    for number in rule.figures:
        cells |= {s: float(signs["negative"]) for s, signs in paper_figure(number).cells.items()}
    return cells


def _published(quantity: str) -> dict[str, float]:
    """The paper's cells of a quantity by setting."""
    if quantity == "slope_share_negative":
        cells = paper_figure(9).cells | paper_figure(10).cells
        return {s: signs["negative"] / sum(signs.values()) for s, signs in cells.items()}
    tables: dict[str, Sequence[int]] = {"tar": (1, 2, 3, 6), "scale_mean": (4, 5)}
    return {s: v for number in tables.get(quantity, ()) for s, v in paper_table(number).by_setting.items()}
