"""What the runs behind a figure learned, by setting and seed, and how such figures show many seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd

from trsfnet.report.display import Exhibit, Markdown, folded
from trsfnet.report.feeds import Runs
from trsfnet.report.names import NBSP, listed, short_name
from trsfnet.report.runs import learned, settled

Values = dict[str, dict[int, pd.DataFrame]]
"""By setting and seed, a table with a row per epoch and a column per module."""


def values(runs: Runs, kind: str) -> Values:
    """What was learned, `trsf` or `slope`, in finished runs; in all of them while a setting has none."""
    found = {
        setting: {r.seed: tables[kind] for r in settled(cell) if kind in (tables := learned(r))}
        for setting, cell in runs.items()
    }
    return {setting: seeds for setting, seeds in found.items() if seeds}


def final(values: Values) -> dict[str, pd.DataFrame]:
    """The last values of each setting: a row per seed, a column per module."""
    return {
        setting: pd.DataFrame({seed: table.iloc[-1] for seed, table in seeds.items()}).T
        for setting, seeds in values.items()
    }


def first_and_further(
    values: Values, what: str, draw: Callable[[Values], Exhibit]
) -> list[Exhibit | Markdown]:
    """A drawing of the lowest seed of each setting, and one of all others behind a fold if there are any."""
    ordered = {setting: dict(sorted(seeds.items())) for setting, seeds in values.items()}
    first = {setting: dict([next(iter(seeds.items()))]) for setting, seeds in ordered.items()}
    others = {s: further for s, seeds in ordered.items() if (further := dict(list(seeds.items())[1:]))}
    if not others:
        return [draw(first)]
    return [draw(first), Markdown(folded(f"{what}: {_seeds(others)}", draw(others).markdown()))]


def shown_seeds(values: Values) -> str:
    """Such as `seed 0 of each setting, but seed 2 of v2 + TRSF`."""
    of = {setting: _seeds({setting: seeds}) for setting, seeds in values.items()}
    (usual, _), *_ = Counter(of.values()).most_common()
    others = [f"{seeds} of {short_name(setting)}" for setting, seeds in of.items() if seeds != usual]
    text = f"{usual} of each setting"
    return f"{text}, but {listed(others)}" if others else text


def _seeds(values: Values) -> str:
    """`seed 0`, or `seeds 1, 2 and 3`, of any setting."""
    numbers = sorted({seed for seeds in values.values() for seed in seeds})
    return f"seed{'s'[: len(numbers) - 1]} {listed([str(n) for n in numbers])}"


def decimal(value: float, digits: int = 2) -> str:
    """A number of either sign, such as `−0.12`."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def span(numbers: list[str]) -> str:
    """`0.10` or `0.10 to 0.30`, from the smallest and the largest."""
    return numbers[0] if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"


def signs(final_values: pd.Series) -> str:
    """`69 / 62`: how many values are positive, or zero, and how many negative."""
    negative = int((final_values < 0).sum())
    return f"{len(final_values) - negative}{NBSP}/{NBSP}{negative}"
