"""What stands behind a table's columns: every run with its numbers and command, and the runs left out."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.experiments.record import Record
from trsfnet.report.collection import Collection, Group
from trsfnet.report.display import Markdown, captioned, folded, plain, table
from trsfnet.report.names import MEASURE_NAMES, MEASURES, TRACKS, counted, duration, percent, setting_name
from trsfnet.report.runs import card_link, state, value_of
from trsfnet.report.verdicts.comparisons import rows


def runs_behind(groups: Sequence[Group]) -> Markdown:
    """Each track's runs, to be unfolded: value, how it ended, and the command that repeats it."""
    parts = [_runs(group) for group in groups if group.records]
    return Markdown("\n".join(parts) or "There are no runs behind this table yet.")


def _runs(group: Group) -> str:
    measures = MEASURES[group.track]
    header = ["Run", *(MEASURE_NAMES[measure] for measure in measures)]
    means = {row.setting: row.values for row in rows(group)} if group.quantity == "scale_mean" else {}
    if means:
        header.append("Mean TRSF")
    lines = []
    for record in group.records:
        line = [_name(record), *(value_of(record, measure) for measure in measures)]
        if means:
            value = means[record.setting].get(record.seed)
            line.append("–" if value is None else f"{value:.3f}")
        lines.append([*line, *_rest(record)])
    title = (
        f"{counted(len(group.records), 'run')} on {TRACKS[group.track]}, with the commands that repeat them"
    )
    return folded(title, table([*header, *_REST], lines))


_REST = ("Status", "Wall time", "Repeat it")


def _rest(record: Record) -> list[str]:
    return [
        plain(state(record)),
        duration(record.info.get("seconds", 0.0)),
        f"`{record.info.get('command', 'unknown')}`",
    ]


def _name(record: Record) -> str:
    return card_link(record, f"{setting_name(record)}, seed {record.seed}")


def other_runs(collection: Collection, number: int) -> Markdown:
    """The runs that one might look for in the table, with what keeps each out; and unreadable records."""
    others = collection.others(number)
    parts = ["There are no other runs of these settings."]
    if others:
        lines = [
            [_name(r), f"`{r.info['track']}`", plain(reason), _values(r), *_rest(r)] for r, reason in others
        ]
        header = ("Run", "Track", "Stands apart by", "TAR@FAR=1e-3", *_REST)
        caption = "Runs that depart from the paper's settings, or are of another scale than the table shows."
        body = captioned(caption, f"others-{number}", table(header, lines))
        parts = [folded(f"{counted(len(others), 'other run')}", body)]
    if collection.problems:
        parts.append("**Records that cannot be shown:**\n")
        # Paths as seen from the repository's root, not from where the notebook runs.
        parts.append("\n".join(f"- {plain(p.replace('../', ''))}" for p in collection.problems))
    return Markdown("\n\n".join(parts))


def _values(record: Record) -> str:
    if record.status != "done":
        return "–"
    return ", ".join(value_of(record, measure) for measure in MEASURES[record.info["track"]])


def why_by_person(groups: Sequence[Group]) -> Markdown:
    """Why all pairs of LFW are not the measure of that track, counted in the scores of one of its runs."""
    for record in (r for group in groups if group.track == "lfw" for r in group.records):
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
    if record.status != "done" or not record.has("scores"):
        return None
    scores = record.scores()
    if "left_person" not in scores:
        return None
    people = scores.loc[scores["same"], "left_person"].value_counts()
    return int(people.iloc[0]), int(people.sum())
