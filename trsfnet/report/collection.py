"""Which run stands where: the cells of the paper's tables, and all other runs with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trsfnet.experiments.budgets import BUDGETS, budget_of, of_a_study
from trsfnet.experiments.folders import find_folder
from trsfnet.experiments.record import Record, read_records
from trsfnet.experiments.variants import GRID, table_settings
from trsfnet.paper.numbers import paper_table
from trsfnet.report.names import MEASURES, PUBLIC_TRACKS, short_name
from trsfnet.report.runs import damage, peculiarities


@dataclass(frozen=True)
class Group:
    """The runs of one table that may be compared: one track, one scale, one version of its images.

    Attributes:
        table: number of the paper's table.
        track: `synthetic`, `lfw` or `paper`.
        scale: of its runs, such as `full`, empty when nothing was run.
        images: version of the track's images, empty when nothing was run.
        cells: runs by setting, ordered by seed; a setting without a run has an empty list.
        track_records: every sound run of the track, in the table or not: seeds of other settings tell how far
            seeds lie apart.
    """

    table: int
    track: str
    scale: str
    images: str
    cells: dict[str, list[Record]]
    track_records: tuple[Record, ...]

    @property
    def records(self) -> list[Record]:
        """Every run of the group, in the paper's order."""
        return [record for cell in self.cells.values() for record in cell]

    @property
    def quantity(self) -> str:
        """What the table is about, in the words of the claims: `tar`, or `scale_mean` in tables 4 and 5."""
        return "tar" if paper_table(self.table).unit == "percent" else "scale_mean"

    @property
    def baseline(self) -> str:
        """The setting that the others are compared with: the first, in table 6 the paper's best start."""
        cells = paper_table(self.table).by_setting
        return max(cells, key=cells.__getitem__) if self.table == 6 else next(iter(cells))

    @property
    def measure(self) -> str:
        """Name of the metric that the track's verdicts rest on."""
        return MEASURES[self.track][0]

    @property
    def unfinished(self) -> str:
        """A sentence with a space before it on runs that go on or ended early; empty if there are none."""
        runs = [
            f"{short_name(r.setting)}, seed {r.seed} ({r.status})" for r in self.records if r.status != "done"
        ]
        return f" Not finished: {'; '.join(runs)}." if runs else ""

    def values(self, setting: str, measure: str) -> list[float]:
        """The measure's final value in each finished run of a setting, in order of seed."""
        return [r.metrics[measure] for r in self.cells[setting] if r.status == "done"]


@dataclass(frozen=True)
class Collection:
    """All sound runs, and a sentence for each record that cannot be reported."""

    records: tuple[Record, ...]
    problems: tuple[str, ...]

    @classmethod
    def read(cls, *roots: str | Path) -> Collection:
        """The records under `roots`; of equal runs the one under the last root counts.

        Raises:
            RecordError: there is no such folder; see `find_folder`.
        """
        records, problems = read_records(find_folder(root) for root in roots)
        sound = []
        for record in records:
            harm = damage(record)
            if harm:
                problems.append(harm)
            else:
                sound.append(record)
        return cls(tuple(sound), tuple(problems))

    def groups(self, number: int) -> list[Group]:
        """The paper's table `number` on each track that anyone can run, and on the paper's if anyone did."""
        tracks = [self.group(number, track) for track in MEASURES]
        return [group for group in tracks if group.records or group.track in PUBLIC_TRACKS]

    def group(self, number: int, track: str) -> Group:
        """The paper's table `number` on a track, at the largest scale that was run; maybe without records."""
        settings = [setting.key for setting in table_settings(number)]
        of_track = tuple(r for r in self.records if r.info["track"] == track)
        found = [r for r in of_track if r.setting in settings]
        scales = {
            r.run_id: budget_of(r.config) for r in found if not peculiarities(r) and not of_a_study(r.config)
        }
        scale = max(scales.values(), key=list(BUDGETS).index, default="")
        found = sorted((r for r in found if scales.get(r.run_id) == scale), key=_precedence)
        # Faces of different versions are different data: the version of the latest run counts.
        images = _images(max(found, key=_started)) if found else ""
        # One for each setting and seed, the last of `found`.
        chosen = {(r.setting, r.seed): r for r in found if _images(r) == images}
        cells = {
            key: [chosen[key, seed] for seed in sorted(s for k, s in chosen if k == key)] for key in settings
        }
        return Group(number, track, scale, images, cells, of_track)

    def others(self, number: int) -> list[tuple[Record, str]]:
        """The runs that might be looked for in the paper's table `number` but are not in it, with the reason.

        They are those of its settings, and those of its network and loss whose setting is in no table. Those
        of a study are on its own page.
        """
        groups = {track: self.group(number, track) for track in MEASURES}
        placed = {id(r) for group in groups.values() for r in group.records}
        settings = table_settings(number)
        elsewhere = {s.key for s in GRID} - {s.key for s in settings}
        kinds = {(s.arch, s.loss) for s in settings}
        return [
            (r, _reason(r, groups[r.info["track"]]))
            for r in self.records
            if id(r) not in placed
            and r.setting not in elsewhere
            and not of_a_study(r.config)
            and (r.config["arch"], r.config["loss"]) in kinds
        ]


def _reason(record: Record, group: Group) -> str:
    """Why a run is not in `group`, the table on its track."""
    reasons = peculiarities(record)
    if not reasons and budget_of(record.config) != group.scale:
        reasons.append(f"scale {budget_of(record.config)}")
    elif not reasons and _images(record) != group.images:
        reasons.append(f"images {_images(record)}")
    return ", ".join(reasons) or "a second run of its seed"


def _images(record: Record) -> str:
    return str(record.config["images"])


def _started(record: Record) -> str:
    return str(record.info.get("started", ""))


def _precedence(record: Record) -> tuple[bool, str, str]:
    """Order of runs of one setting and seed, say in two precisions: the later of those that ended counts."""
    return record.status in ("done", "collapsed"), _started(record), record.run_id
