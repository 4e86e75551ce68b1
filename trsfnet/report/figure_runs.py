"""The runs shown in a figure of the paper, what is missing from it, and the claims that rest on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.run import Run
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.variants import short_name, variant_of, variants_in
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.card_links import card_link
from trsfnet.report.claims.tables import claims_table
from trsfnet.report.display import Markdown, Picture, folded, plain
from trsfnet.report.names import TRACKS, budget_in_words, short_track
from trsfnet.report.run_state import finished_or_all
from trsfnet.report.tables.comparison import unfinished
from trsfnet.text import NBSP, capitalised, counted, joined

_T = TypeVar("_T", bound=Hashable)

Runs = dict[str, list[Run]]
"""The runs of each variant, by seed; variants in the paper's order, with an empty list if not run."""

Values = dict[str, dict[int, pd.DataFrame]]
"""Tables by variant and seed, each with a row per epoch and a column per module."""


@dataclass(frozen=True)
class FigureRuns:
    """What a figure of the paper shows of our runs on one track.

    Attributes:
        tables: the tables whose runs it shows.
        number: its number in the paper.
    """

    tables: Sequence[TableRuns]
    number: int

    @cached_property
    def runs(self) -> Runs:
        """The runs that it shows."""
        keys = {variant.key for variant in variants_in(f"figure {self.number}")}
        return {key: cell for table in self.tables for key, cell in table.cells.items() if key in keys}

    @property
    def track(self) -> str:
        """The name of the track in words."""
        return TRACKS[self.tables[0].track]

    @property
    def opening(self) -> str:
        """The beginning of its caption: its number in the paper, our track, and the budget of the runs."""
        shown = next((table for table in self.tables if table.runs), None)
        budget = f" ({budget_in_words(shown)})" if shown else ""
        return f"Our version of figure {self.number}, on {self.track}{budget}"

    @property
    def nothing(self) -> Markdown:
        """The text that replaces it if there are no runs."""
        names = joined([short_name(variant) for variant in self.runs])
        return Markdown(f"{self.opening}: no run of {names} has finished an epoch yet.")

    @property
    def missing(self) -> str:
        """Sentences on the runs that it lacks, with a leading space; empty if none is missing."""
        run_of = Counter(variant_of(key).arch for key, cell in self.runs.items() if cell)
        gone = sorted({variant_of(key).arch for key in self.runs} - set(run_of))
        names = [f"every variant of {arch}" for arch in gone]
        names += [
            short_name(key)
            for key, cell in self.runs.items()
            if not cell and variant_of(key).arch not in gone
        ]
        text = f" Not run yet: {joined(names)}." if names else ""
        return text + unfinished([run for cell in self.runs.values() for run in cell])

    def learned(self, kind: str) -> Values:
        """Return the learned values of finished runs, or of all runs of a variant while none has finished.

        Args:
            kind: `trsf` or `slope`.
        """
        found = {
            variant: {run.seed: run.learned[kind] for run in finished_or_all(cell) if kind in run.learned}
            for variant, cell in self.runs.items()
        }
        return {variant: seeds for variant, seeds in found.items() if seeds}

    def first_and_further(
        self, kind: str, title: str, draw: Callable[[FigureRuns, Values], Picture]
    ) -> list[Picture | Markdown]:
        """Draw the lowest seed of each variant, and any other seeds in a second figure within a dropdown.

        Args:
            kind: the learned values to draw: `trsf` or `slope`.
            title: title of the dropdown, to which the track and the seeds are added.
            draw: makes a figure of some of the values.
        """
        values = self.learned(kind)
        if not values:
            return [self.nothing]
        ordered = {variant: dict(sorted(seeds.items())) for variant, seeds in values.items()}
        first = {variant: dict([next(iter(seeds.items()))]) for variant, seeds in ordered.items()}
        others = {v: further for v, seeds in ordered.items() if (further := dict(list(seeds.items())[1:]))}
        if not others:
            return [draw(self, first)]
        dropdown = folded(f"{title} on {self.track}: {_seeds(others)}", draw(self, others).markdown())
        return [draw(self, first), Markdown(dropdown)]


def seeds_in_words(seeds: Mapping[str, Sized]) -> str:
    """Return the number of seeds in words, such as `3 seeds of each variant, but 1 of v2 + TRSF`.

    Args:
        seeds: the seeds of each variant that is shown.
    """
    numbers = {variant: len(of) for variant, of in seeds.items()}
    return _usual(numbers, lambda number: counted(number, "seed"), str)


def shown_seeds(values: Values) -> str:
    """Return the seeds in words, such as `seed 0 of each variant (v2 + TRSF: seed 2)`."""
    return _usual({variant: _seeds({variant: seeds}) for variant, seeds in values.items()}, str, str)


def _usual(of: Mapping[str, _T], most: Callable[[_T], str], other: Callable[[_T], str]) -> str:
    """State the most common value over variants, and the variants with other values."""
    (usual, _), *_ = Counter(of.values()).most_common()
    others = [f"{short_name(variant)}: {other(value)}" for variant, value in of.items() if value != usual]
    text = f"{most(usual)} of each variant"
    return f"{text} ({'; '.join(others)})" if others else text


def _seeds(values: Values) -> str:
    """Return the seeds of all variants together, such as `seed 0` or `seeds 1, 2 and 3`."""
    numbers = sorted({seed for seeds in values.values() for seed in seeds})
    return f"{'seed' if len(numbers) == 1 else 'seeds'} {joined([str(n) for n in numbers])}"


def final(values: Values) -> dict[str, pd.DataFrame]:
    """Return the values of the last epoch for each variant: a row per seed, a column per module."""
    return {
        variant: pd.DataFrame({seed: table.iloc[-1] for seed, table in seeds.items()}).T
        for variant, seeds in values.items()
    }


def span(numbers: Sequence[str]) -> str:
    """Return `0.10` or `0.10 to 0.30`, from sorted numbers."""
    return numbers[0] if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"


def signs(final_values: pd.Series) -> str:
    """Return the number of values that are positive or zero and the number that are negative: `69 / 62`."""
    negative = int((final_values < 0).sum())
    return f"{len(final_values) - negative}{NBSP}/{NBSP}{negative}"


def left_out(found: Analysis, shown: Sequence[TableRuns], kind: str) -> Markdown:
    """List the runs that a reader might expect in the figures of these tables, by the reason for omission.

    Args:
        found: all runs.
        shown: the tables whose runs the figures show.
        kind: the learned values that the figures show: `trsf`, `slope`, or empty for all runs.
    """
    reasons = {
        run: reason
        for number in dict.fromkeys(table.table for table in shown)
        for run, reason in found.left_out([table for table in shown if table.table == number])
        if not kind or kind in run.learned
    }
    alike: dict[tuple[str, str, str], list[Run]] = {}
    for run, reason in reasons.items():
        alike.setdefault((run.track, reason, run.short_name), []).append(run)
    parts = ["These figures show all runs of their variants."]
    if reasons:
        number = counted(len(reasons), "run")
        title = f"{number} that these figures leave out, with what sets them apart"
        lines = [
            f"- {capitalised(short_track(track))}, {plain(reason)}: {plain(name)}, {_linked_seeds(runs)}"
            for (track, reason, name), runs in alike.items()
        ]
        parts = [folded(title, "\n".join(lines))]
    if found.problems:
        number = counted(len(found.problems), "record")
        parts.append(f"{number} cannot be read, for reasons given [with the claims](#table-campaigns).")
    return Markdown("\n\n".join(parts))


def _linked_seeds(runs: Sequence[Run]) -> str:
    """Return the seeds of runs, each as a link to its card."""
    links = [card_link(run, str(run.seed)) for run in sorted(runs, key=lambda run: run.seed)]
    return f"{'seed' if len(links) == 1 else 'seeds'} {joined(links)}"


def verdicts(found: Analysis, subject: str, *claims: str) -> Markdown:
    """Tabulate the claims that rest on figures, with their verdicts.

    Args:
        found: all runs.
        subject: subject of the figures, for the caption.
        claims: ids of the claims.
    """
    return claims_table(subject, [claims_by_id()[claim] for claim in claims], found)
