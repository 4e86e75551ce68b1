"""The paper's tables 1 and 2 beside our runs, cell by cell, with the command that repeats each run."""

from __future__ import annotations

import os

from trsfnet.evaluation.statistics import Interval, mean_over_seeds, wilson
from trsfnet.experiments.paper import paper_table
from trsfnet.experiments.record import Record
from trsfnet.report.collection import Collection, Group
from trsfnet.report.display import Markdown, captioned, folded, plain, table
from trsfnet.report.names import (
    MEASURE_NAMES,
    MEASURES,
    NBSP,
    SETTINGS,
    TRACKS,
    counted,
    duration,
    percent,
    percent_range,
    setting_name,
)
from trsfnet.report.runs import is_stale, state, value_of


def papers_cells(number: int) -> Markdown:
    """The paper's table with the interval that its number of pairs allows."""
    paper = paper_table(number)
    rows = []
    for setting, value in paper.cells.items():
        interval = papers_interval(number, setting)
        accepted = f"{round(interval.value * paper.trials):,} of {paper.trials:,}"
        rows.append((SETTINGS[setting].name, f"{value:.2f}{NBSP}%", percent_range(interval), accepted))
    header = ("Setting", paper.quantity, f"95{NBSP}% interval", "Pairs accepted")
    caption = f"Paper's table {number}: trained on VGGFace2, verified on LFW; one seed each."
    return Markdown(captioned(caption, f"paper-{number}", table(header, rows)))


def papers_interval(number: int, setting: str) -> Interval:
    """Wilson's interval of a cell: every percentage is a whole number of the same-person pairs."""
    paper = paper_table(number)
    return wilson(round(paper.cells[setting] / 100 * paper.trials), paper.trials)


def track_table(group: Group) -> Markdown:
    """Our runs of a table on one track, with all that is needed to repeat them."""
    measures = MEASURES[group.track]
    header = ["Setting", "Seeds"]
    for measure in measures:
        header += [f"{MEASURE_NAMES[measure]} (95 % interval)", "by seed"]
    rows = []
    for setting, records in group.cells.items():
        row = [SETTINGS[setting].name, str(len(records))]
        for measure in measures:
            mean = _mean(group.values(setting, measure)) if records else "not run"
            row += [mean, "; ".join(value_of(r, measure) for r in records)]
        rows.append(row)
    caption = f"Paper's table {group.table} on our {group.track} track, {_about(group)}."
    text = captioned(caption, f"track-{group.table}-{group.track}", table(header, rows))
    old = sum(is_stale(record) for record in group.records)
    if old:
        text += f"\n{counted(old, 'run')} of {len(group.records)} made by earlier code than the present.\n"
    if group.records:
        title = f"Commands and records of {counted(len(group.records), 'run')} on the {group.track} track"
        text += "\n" + folded(title, runs_table([(record, "") for record in group.records]))
    return Markdown(text)


def _about(group: Group) -> str:
    """What a track shows, in which version, and the seeds that were run."""
    if not group.records:
        return f"{TRACKS[group.track]}; no run yet"
    seeds = sorted({r.seed for r in group.records})
    numbers = ", ".join(str(seed) for seed in seeds)
    runs = f"scale {group.scale}, images: {group.images}"
    return f"{TRACKS[group.track]} ({runs}); seed{'s'[: len(seeds) - 1]} {numbers}"


def why_by_person(group: Group) -> Markdown:
    """Why all pairs of LFW are not the measure of that track, counted in the scores of one of its runs."""
    for record in group.records:
        pairs = _pairs_of_one_person(record)
        if pairs:
            most, all_pairs = pairs
            return Markdown(
                f"One person has {most:,} of the {all_pairs:,} same-person pairs "
                f"({percent(most / all_pairs)}), because pairs grow with the square of a person's images. "
                "TAR over all pairs is therefore mostly about that person; the mean over people counts "
                "everybody once, and verdicts rest on it."
            )
    return Markdown(
        "Some people have far more images than others, and pairs grow with the square of a person's images. "
        "The mean over people counts everybody once, and verdicts rest on it."
    )


def _pairs_of_one_person(record: Record) -> tuple[int, int] | None:
    """Same-person pairs of the person with the most, and of all; None for a run without such scores."""
    if record.status != "done" or not (record.path / "scores.parquet").is_file():
        return None
    scores = record.scores()
    if "left_person" not in scores:
        return None
    people = scores.loc[scores["same"], "left_person"].value_counts()
    return int(people.iloc[0]), int(people.sum())


def _mean(values: list[float]) -> str:
    if not values:
        return "–"
    interval = mean_over_seeds(values)
    mean = percent(sum(values) / len(values))
    return f"**{mean}** ({percent_range(interval) if interval else 'one seed: no interval'})"


def other_runs(collection: Collection, number: int) -> Markdown:
    """Every run that is not in the table, with what sets it apart; and every record that is unreadable."""
    others = collection.others(number)
    parts = []
    if others:
        caption = "Other runs: they depart from the paper's settings or from their track's protocol."
        parts.append(captioned(caption, f"others-{number}", runs_table(others)))
    else:
        parts.append("There are no other runs.")
    if collection.problems:
        parts.append("**Records that cannot be shown:**\n")
        # Paths as seen from the repository's root, not from where the notebook runs.
        parts.append("\n".join(f"- {plain(p.replace('../', ''))}" for p in collection.problems))
    return Markdown("\n\n".join(parts))


def runs_table(runs: list[tuple[Record, str]]) -> str:
    """One row per run: what it was, how it ended, how to repeat it. Each comes with its peculiarity or ''."""
    peculiar = any(reason for _, reason in runs)
    header = ["Run", *(["Stands apart by"] if peculiar else []), *_RUN_HEADER]
    rows = [
        [
            f"{setting_name(r)}, seed {r.seed}, `{r.info['track']}`",
            *([reason] if peculiar else []),
            *_run_row(r),
        ]
        for r, reason in runs
    ]
    return table(header, rows)


_RUN_HEADER = ("Repeat it", "TAR@FAR=1e-3", "Status", "Wall time", "Code", "Record")


def _run_row(record: Record) -> list[str]:
    info = record.info
    return [
        f"`{info.get('command', 'unknown')}`",
        ", ".join(value_of(record, measure) for measure in MEASURES[info["track"]])
        if record.status == "done"
        else "–",
        plain(state(record)),
        duration(info.get("seconds", 0.0)),
        f"`{info.get('source_hash', 'unknown')}`",
        f"`{'/'.join(record.path.parts[-3:])}` {_links(record)}",
    ]


def _links(record: Record) -> str:
    """The files of a record, as links from the page that is being made: its working folder."""
    files = [name for name in ("run.json", "history.csv") if (record.path / name).is_file()]
    folder = os.path.relpath(record.path).replace(os.sep, "/")
    return " ".join(f"[{name}]({folder}/{name})" for name in files)
