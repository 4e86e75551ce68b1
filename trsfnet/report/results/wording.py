"""How the rows of the paper's tables, and what is said of them, are written."""

from __future__ import annotations

from trsfnet.report.claims.papers import papers_number
from trsfnet.report.claims.wording import Unit, unit
from trsfnet.report.collection import Group
from trsfnet.analysis.contrasts import MIN_SEEDS
from trsfnet.report.display import Markdown
from trsfnet.report.names import counted, listed, percent, percent_range, row_name
from trsfnet.report.verdicts.comparisons import Row, claim_on, comparisons, questions
from trsfnet.report.verdicts.findings import ALPHA, CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED


def short_row(group: Group, setting: str) -> str:
    """`v1 + TRSF` for the row of `Inception-ResNet v1 + TRSF`."""
    return row_name(group.table, setting).removeprefix("Inception-ResNet ")


def saying(group: Group) -> str:
    """What every row of a table says of its setting, such as `gain over v1`; of table 6, of another start."""
    if group.quantity == "scale_mean":
        asked = next(iter(questions(group).values()))
        return f"mean between {asked.above:g} and {asked.below:g}"
    of = short_row(group, group.baseline)
    return f"lead of {of}" if group.table == 6 else f"gain over {of}"


def mean_text(group: Group, row: Row) -> str:
    """The mean over seeds and its interval, such as `**12.3 %** (10.1 to 14.5 %)`."""
    if row.value is None:
        return "–"
    number = Unit(2)
    value = percent(row.value) if group.quantity == "tar" else number.text(row.value)
    if row.mean is None:
        return f"**{value}** (no interval)"
    interval = row.mean.interval
    if group.quantity == "tar":
        return f"**{value}** ({percent_range(interval)})"
    return f"**{value}** ({number.text(interval.low)} to {number.text(interval.high)})"


def gap_text(group: Group, row: Row) -> str:
    """How far our row goes the way that the paper says, and its interval; empty where nothing is compared."""
    if row.gap is None:
        return ""
    of = unit(questions(group)[row.setting], difference=True)
    if row.gap_interval is None:
        return f"{of.text(row.gap)} (no interval)"
    return f"{of.text(row.gap)} ({of.bare(row.gap_interval.low)} to {of.bare(row.gap_interval.high)})"


def papers_gap(group: Group, setting: str) -> str:
    """The same of the paper's cells, without interval."""
    rule = questions(group).get(setting)
    return papers_number(rule) if rule else ""


def sentence(group: Group) -> str:
    """What the runs of one track say to the rows of a table, in one sentence."""
    found = comparisons(group)
    done = sum(record.status == "done" for record in group.records)
    if not done:
        return "no run has finished, so nothing can be said."
    if all(row.p_holm is None for row in found):
        return (
            f"{counted(done, 'run')} finished, but no row has {MIN_SEEDS} seeds of all that it compares: "
            "nothing can be concluded."
        )
    words = []
    for word in (SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_RUN):
        names = [_named(group, row) for row in found if row.verdict == word]
        if names:
            words.append(f"{word} {'over' if group.table == 6 else 'for'} {listed(names)}")
    article = "the" if group.table == 6 else "a"
    return f"{article} {saying(group)} is {'; '.join(words)}."


def _named(group: Group, row: Row) -> str:
    numbers = gap_text(group, row)
    name = short_row(group, row.setting)
    return f"{name} ({numbers})" if numbers and row.gap_interval else name


def rule(group: Group) -> Markdown:
    """How the verdict on a row of a table comes about."""
    asked = list(questions(group).values())
    asks = {
        "tar": "the difference is above zero",
        "scale_mean": f"the mean over seeds lies {saying(group).removeprefix('mean ')}",
    }[group.quantity]
    among = f"the {len(asked)} rows of the table"
    if all(map(claim_on, asked)):
        among = "all claims, as it is itself one of them"
    lost = "A run that collapsed has no value"
    if group.quantity == "tar":
        lost += "; the word is not given to the side that lost more runs"
    return Markdown(
        f"The word on a row is about that row on that track: **{SUPPORTED}** where {asks} by more than "
        f"chance, **{CONTRADICTED}** where it is otherwise by more than chance, each with a p value below "
        f"{ALPHA} after Holm's adjustment for {among}, and **{INCONCLUSIVE}** otherwise or with fewer than "
        f"{MIN_SEEDS} finished seeds. How far seeds lie apart is taken from all settings with the same "
        f"network and loss together (Student's t), as for the [claims](claims.ipynb), by the same code. {lost}."
    )
