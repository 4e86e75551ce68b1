"""The complete analysis of a set of runs; each result is computed once."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from trsfnet.analysis import frames, length, width
from trsfnet.analysis.campaign import Campaign, campaigns, relevant
from trsfnet.analysis.findings import DECIDED
from trsfnet.analysis.measures import MEASURES, PUBLIC_TRACKS
from trsfnet.analysis.mechanism import Answer, answers, mechanism_runs, starting_norms
from trsfnet.analysis.power import SeedSpread, seed_spreads
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.run import Run
from trsfnet.analysis.soundness import fault
from trsfnet.analysis.stability import Study, find_study
from trsfnet.analysis.tables import TableRuns, left_out, table_budget, table_runs
from trsfnet.analysis.travel import by_travel
from trsfnet.errors import ConfigError
from trsfnet.experiments.folders import find_folder
from trsfnet.experiments.record import Record, read_records

_Key: TypeAlias = tuple[tuple[Path, ...], Path, tuple[tuple[Path, int], ...]]


class Analysis:
    """All valid runs of some folders, and every result that pages, tables and cards show about them.

    One instance is created and passed to all of them; each result is computed on first access.

    Attributes:
        runs: the valid runs.
        problems: one sentence for each record that cannot be reported.
    """

    def __init__(self, records: Iterable[Record], problems: Sequence[str] = ()) -> None:
        """Analyse `records`; `problems` lists those already found to be unreadable."""
        runs = [Run(record) for record in records]
        faults = {run: fault(run) for run in runs}
        self.runs = tuple(run for run in runs if not faults[run])
        self.problems = (*problems, *filter(None, faults.values()))
        self._tables: dict[tuple[int, str, str], TableRuns] = {}

    @cached_property
    def campaigns(self) -> list[Campaign]:
        """The runs that have ended, in comparable groups, with the verdicts of each group."""
        return campaigns(self.runs)

    @cached_property
    def by_travel(self) -> pd.DataFrame:
        """Final slopes, scales and branches by the travel of the schedule: see `travel.by_travel`."""
        return by_travel(self.runs)

    def campaigns_on(self, claims: Collection[str]) -> list[Campaign]:
        """Return the campaigns to show for the claims with these ids: see `relevant`."""
        return relevant(self.campaigns, claims)

    def campaigns_beside(self, claims: Collection[str]) -> list[Campaign]:
        """Return the campaigns to show for some claims on a page about all of them.

        Those are the ones of `campaigns_on`, and those shown for other claims that decide one of these, since
        such verdicts are cited elsewhere.
        """
        shown, decisive = self.campaigns_on(claims), self.campaigns_on(paper_rules())
        return [
            one
            for one in self.campaigns
            if one in shown
            or (one in decisive and any(one.verdicts[claim].outcome in DECIDED for claim in claims))
        ]

    def waiting(self, claims: Collection[str]) -> list[Campaign]:
        """Return the campaigns of larger budgets and separate studies with too few seeds to be shown."""
        found = self.campaigns
        return [one for one in found if any(one.waits(other, claims) for other in found)]

    def table(self, number: int, track: str) -> TableRuns:
        """Return the paper's table `number` on a track, in the budget of `table_budget`."""
        return self._table(number, track, table_budget([number], track, self.runs))

    def _table(self, number: int, track: str, budget: str) -> TableRuns:
        key = number, track, budget
        if key not in self._tables:
            self._tables[key] = table_runs(number, track, self.runs, self.campaigns, budget)
        return self._tables[key]

    def tables(self, number: int, track: str = "") -> list[TableRuns]:
        """Return the paper's table `number` on each track; see `tables_by_track`."""
        return [tables[0] for tables in self.tables_by_track(number, track=track)]

    def tables_by_track(self, *numbers: int, track: str = "") -> list[list[TableRuns]]:
        """Return several tables for each public track, and for the paper's track if any of them has runs.

        The tables of a track are all in the same budget: see `table_budget`.

        Args:
            numbers: numbers of the paper's tables.
            track: the only track to show, such as `lfw`; empty for all.

        Raises:
            ConfigError: the track does not exist.
        """
        if track and track not in MEASURES:
            raise ConfigError(f"There is no track {track!r}: it is one of {', '.join(MEASURES)}.")
        tracks = [self._together(numbers, each) for each in ([track] if track else MEASURES)]
        if track:
            return tracks
        return [found for found in tracks if found[0].track in PUBLIC_TRACKS or any(t.runs for t in found)]

    def _together(self, numbers: Sequence[int], track: str) -> list[TableRuns]:
        budget = table_budget(numbers, track, self.runs)
        return [self._table(number, track, budget) for number in numbers]

    def left_out(self, shown: Sequence[TableRuns]) -> list[tuple[Run, str]]:
        """Return the runs that a reader might expect in a table but that are not in it, and why.

        Args:
            shown: the same table of the paper on one or several tracks.
        """
        return left_out({table.track: table for table in shown}, self.runs)

    @cached_property
    def study(self) -> Study | None:
        """The stability study; None until it has runs at two or more learning rates."""
        return find_study(self.campaigns, self.runs)

    @property
    def graded(self) -> Campaign | None:
        """The campaign of the study `collapse`; None until one of its runs has ended."""
        return next((campaign for campaign in self.campaigns if campaign.budget == "collapse"), None)

    @cached_property
    def mechanism(self) -> pd.DataFrame:
        """Table of the finished runs of the study of weight decay and scales: see `mechanism_runs`."""
        found = [campaign.mechanism for campaign in self.campaigns if not campaign.mechanism.empty]
        return found[0] if found else mechanism_runs([])

    @cached_property
    def answers(self) -> list[Answer]:
        """The answers of that study to its questions; empty until a run has finished."""
        return answers(self.mechanism)

    @cached_property
    def length(self) -> pd.DataFrame:
        """Table of the finished runs of the studies of long training: see `long_runs`."""
        return length.long_runs(self.runs)

    @cached_property
    def length_courses(self) -> dict[str, list[pd.DataFrame]]:
        """How scales, kernels and branches change over long training, by study: see `courses`."""
        return length.courses(self.runs)

    @cached_property
    def length_answers(self) -> list[Answer]:
        """The answers of these studies to their questions; empty until a run has finished."""
        return length.answers(self.length)

    @cached_property
    def width(self) -> pd.DataFrame:
        """Table of the runs of the studies on width that have ended: see `width_runs`."""
        return width.width_runs(self.runs)

    @cached_property
    def width_answers(self) -> list[Answer]:
        """The answers of these studies to their questions."""
        return width.answers(self.width)

    @cached_property
    def starting_norms(self) -> np.ndarray:
        """Initial norms of the kernels that the scales multiply in that study: see `starting_norms`."""
        return starting_norms(self.runs)

    @cached_property
    def seed_spreads(self) -> list[SeedSpread]:
        """Variation between seeds, by campaign and network, the most precise estimate first."""
        return seed_spreads(self.campaigns)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A table with one row per run: see `trsfnet.analysis.runs`."""
        return frames.runs_frame(self.runs)


def load(*roots: str | Path) -> Analysis:
    """Return the analysis of the records under `roots`.

    If a run exists under several roots, the one under the last root is used. The result is cached, so that
    all pages of the book built in one process share it until a record changes.

    Raises:
        RecordError: a folder does not exist; see `find_folder`.
    """
    key = _key(roots)
    if key not in _loaded:
        while len(_loaded) >= _AT_MOST:
            _loaded.pop(next(iter(_loaded)))
        _loaded[key] = Analysis(*read_records(key[0]))
    return _loaded[key]


def hand_over(file: str | Path, *roots: str | Path) -> None:
    """Write the analysis of the records under `roots`, with all verdicts, to a file for another process.

    Args:
        file: the file, to be read by the same version of the package.
        roots: see `load`.
    """
    key = _key(roots)
    analysis = load(*roots)
    for campaign in analysis.campaigns:
        _ = campaign.verdicts
    with Path(file).open("wb") as stream:
        pickle.dump(key, stream)
        pickle.dump(analysis, stream)


def take_over(file: str | Path) -> None:
    """Make `load` return the analysis that another process wrote to `file`, until a record changes.

    Args:
        file: the file, from a trusted source: reading it can execute code.
    """
    with Path(file).open("rb") as stream:
        key = pickle.load(stream)
        if key not in _loaded:
            _loaded[key] = pickle.load(stream)


_AT_MOST = 4
_loaded: dict[_Key, Analysis] = {}


def _key(roots: Iterable[str | Path]) -> _Key:
    """Return what the analysis of `roots` depends on: folders, working folder, and the records' files."""
    folders = tuple(find_folder(root) for root in roots)
    found = (file for root in folders for depth in ("*/*", "*/*/*") for file in root.glob(depth))
    files = tuple((file, file.stat().st_mtime_ns) for file in found if file.suffix in _SUFFIXES)
    # Links to records are relative to the working folder.
    return folders, Path.cwd(), files


_SUFFIXES = {".json", ".jsonl", ".csv", ".parquet"}
