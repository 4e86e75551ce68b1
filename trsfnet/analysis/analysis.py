"""Everything that is computed of a set of runs, each thing once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from trsfnet.analysis import frames
from trsfnet.analysis.campaign import Campaign, campaigns, relevant
from trsfnet.analysis.measures import MEASURES, PUBLIC_TRACKS
from trsfnet.analysis.mechanism import Answer, answers, mechanism_runs, starting_norms
from trsfnet.analysis.power import SeedSpread, seed_spreads
from trsfnet.analysis.run import Run
from trsfnet.analysis.soundness import fault
from trsfnet.analysis.stability import Study, find_study
from trsfnet.analysis.tables import TableRuns, left_out, table_runs
from trsfnet.errors import ConfigError
from trsfnet.experiments.folders import find_folder
from trsfnet.experiments.record import Record, read_records


class Analysis:
    """All sound runs of some folders, and all that pages, tables and cards say of them.

    It is made once and handed to each of them; every part is computed when it is first asked for.

    Attributes:
        runs: the sound runs.
        problems: a sentence for each record that cannot be reported.
    """

    def __init__(self, records: Iterable[Record], problems: Sequence[str] = ()) -> None:
        """The analysis of `records`, with what was already found wrong with others."""
        runs = [Run(record) for record in records]
        faults = {run: fault(run) for run in runs}
        self.runs = tuple(run for run in runs if not faults[run])
        self.problems = (*problems, *filter(None, faults.values()))
        self._tables: dict[tuple[int, str], TableRuns] = {}

    @cached_property
    def campaigns(self) -> list[Campaign]:
        """The runs that ended, in groups that may be compared, with their verdicts."""
        return campaigns(self.runs)

    def campaigns_on(self, claims: Collection[str]) -> list[Campaign]:
        """The campaigns to show for the claims with these ids: none that another replaces."""
        return relevant(self.campaigns, claims)

    def table(self, number: int, track: str) -> TableRuns:
        """The paper's table `number` on a track, at the largest budget that was run; maybe without runs."""
        key = number, track
        if key not in self._tables:
            self._tables[key] = table_runs(number, track, self.runs, self.campaigns)
        return self._tables[key]

    def tables(self, number: int, track: str = "") -> list[TableRuns]:
        """The paper's table `number` on each track; see `tables_by_track`."""
        return [tables[0] for tables in self.tables_by_track(number, track=track)]

    def tables_by_track(self, *numbers: int, track: str = "") -> list[list[TableRuns]]:
        """Several tables on each track that anyone can run, and on the paper's if anyone ran one of them.

        Args:
            numbers: of the paper's tables.
            track: the only track to show, such as `lfw`; empty for all.

        Raises:
            ConfigError: there is no such track.
        """
        if track:
            if track not in MEASURES:
                raise ConfigError(f"There is no track {track!r}: it is one of {', '.join(MEASURES)}.")
            return [[self.table(number, track) for number in numbers]]
        tracks = [[self.table(number, track) for number in numbers] for track in MEASURES]
        return [found for found in tracks if found[0].track in PUBLIC_TRACKS or any(t.runs for t in found)]

    def left_out(self, number: int) -> list[tuple[Run, str]]:
        """The runs that might be looked for in table `number` but are not in it, with the reason."""
        return left_out({track: self.table(number, track) for track in MEASURES}, self.runs)

    @cached_property
    def study(self) -> Study | None:
        """The stability study; None before it has runs at two learning rates."""
        return find_study(self.campaigns, self.runs)

    @cached_property
    def mechanism(self) -> pd.DataFrame:
        """The finished runs of the study on weight decay and scales: see `mechanism_runs`."""
        found = [campaign.mechanism for campaign in self.campaigns if not campaign.mechanism.empty]
        return found[0] if found else mechanism_runs([])

    @cached_property
    def answers(self) -> list[Answer]:
        """What that study says to its questions; none before a run has finished."""
        return answers(self.mechanism)

    @cached_property
    def starting_norms(self) -> np.ndarray:
        """Norms of the kernels under the scales before training in that study: see `starting_norms`."""
        return starting_norms(self.runs)

    @cached_property
    def seed_spreads(self) -> list[SeedSpread]:
        """How far seeds lie apart, by campaign and network, the surest first."""
        return seed_spreads(self.campaigns)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row per run: see `trsfnet.analysis.runs`."""
        return frames.runs_frame(self.runs)


def load(*roots: str | Path) -> Analysis:
    """The analysis of the records under `roots`; of equal runs the one under the last root counts.

    It is kept: the pages of a book that are made in one process share it until a record changes.

    Raises:
        RecordError: there is no such folder; see `find_folder`.
    """
    folders = tuple(find_folder(root) for root in roots)
    return _load(folders, Path.cwd(), _state(folders))


@lru_cache(maxsize=4)
def _load(folders: tuple[Path, ...], _working: Path, _state: int) -> Analysis:
    # Links to records are relative to the working folder.
    return Analysis(*read_records(folders))


def _state(roots: Iterable[Path]) -> int:
    """A number that changes when a file of a record does."""
    found = (file for root in roots for depth in ("*/*", "*/*/*") for file in root.glob(depth))
    files = [file for file in found if file.suffix in _SUFFIXES]
    return hash(tuple((file, file.stat().st_mtime_ns) for file in files))


_SUFFIXES = {".json", ".jsonl", ".csv", ".parquet"}
