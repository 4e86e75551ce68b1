"""The runs behind a table, each with its numbers and command, and the runs that the table leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from trsfnet.analysis import Analysis
from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.quantities import QUANTITIES, SIGNED_SCALE
from trsfnet.analysis.run import Run
from trsfnet.analysis.tables import TableRuns
from trsfnet.errors import RecordError
from trsfnet.report.card_links import card_link
from trsfnet.report.display import Markdown, captioned, folded, list_of_problems, plain, table
from trsfnet.report.names import TRACKS, measure_header
from trsfnet.report.run_state import state, value_of
from trsfnet.text import counted, decimal, duration, percent

_LAST = ("Status", "Wall time", "Repeat it")


def runs_behind(tables: Sequence[TableRuns]) -> Markdown:
    """List each track's runs in a dropdown, with values, status and the command that repeats the run."""
    parts = [_runs(one) for one in tables if one.runs]
    return Markdown("\n".join(parts) or "There are no runs behind this table yet.")


def _runs(one: TableRuns) -> str:
    measures = one.measures
    header = ["Run", *(measure_header(measure, one.track) for measure in measures)]
    header += [] if one.of_tar else ["Mean magnitude of TRSF", "Mean TRSF"]
    lines = []
    for run in one.runs:
        line = [_name(run), *(value_of(run, measure) for measure in measures)]
        if not one.of_tar:
            line += [decimal(mean, 3) for mean in _scale_means(run)] or ["–", "–"]
        lines.append([*line, *_last(run)])
    title = f"{counted(len(one.runs), 'run')} on {TRACKS[one.track]}, with the commands that repeat them"
    return folded(title, table([*header, *_LAST], lines))


def _scale_means(run: Run) -> list[float]:
    """Return the mean magnitude and the signed mean of the final scales; empty if the run has none."""
    values = [run.value(quantity) for quantity in (QUANTITIES["scale_magnitude"], SIGNED_SCALE)]
    return [value for value in values if value is not None] if run.done else []


def _last(run: Run) -> list[str]:
    return [
        plain(state(run)),
        duration(run.info.get("seconds", 0.0)),
        f"`{run.command}`",
    ]


def _name(run: Run) -> str:
    return card_link(run, f"{run.name}, seed {run.seed}")


def other_runs(found: Analysis, number: int) -> Markdown:
    """List runs that a reader might expect in the table, with reasons, and the unreadable records."""
    others = found.left_out([found.table(number, track) for track in MEASURES])
    parts = ["There are no other runs of these variants."]
    if others:
        lines = [[_name(r), f"`{r.track}`", plain(reason), _values(r), *_last(r)] for r, reason in others]
        header = ("Run", "Track", "Differs in", "Results", *_LAST)
        caption = "Runs that differ from the paper's variants, or have another budget than the table."
        body = captioned(caption, f"others-{number}", table(header, lines))
        parts = [folded(f"{counted(len(others), 'other run')}", body)]
    if found.problems:
        parts.append("**Unreadable records:**\n")
        parts.append(list_of_problems(found.problems))
    return Markdown("\n\n".join(parts))


def _values(run: Run) -> str:
    if not run.done:
        return "–"
    return "; ".join(f"{measure_header(name, run.track)}: {value_of(run, name)}" for name in run.measures)


def why_by_person(tables: Sequence[TableRuns]) -> Markdown:
    """Explain why TAR over all pairs is not the measure of the LFW track, with counts from a run's scores."""
    for run in (run for one in tables if one.track == "lfw" for run in one.runs):
        pairs = _pairs_of_one_person(run)
        if pairs:
            most, all_pairs = pairs
            return Markdown(
                f"On LFW, one person has {most:,} of the {all_pairs:,} same-person pairs "
                f"({percent(most / all_pairs)}), because the number of pairs grows with the square of the "
                "number of images. TAR over all pairs is therefore mostly about that person; the mean over "
                "people counts everybody once, and the verdicts on LFW use it."
            )
    return Markdown(
        "On LFW, some people have far more images than others, and the number of pairs grows with the square "
        "of that number. The mean over people counts everybody once, and the verdicts on LFW use it."
    )


def _pairs_of_one_person(run: Run) -> tuple[int, int] | None:
    """Return the same-person pairs of the person with the most pairs, and of all people.

    None if the run has no scores with the people's names, or scores that cannot be read.
    """
    if not run.done or not run.record.has("scores"):
        return None
    try:
        scores = run.scores()
    except RecordError:
        return None
    if "left_person" not in scores:
        return None
    people = scores.loc[scores["same"], "left_person"].value_counts()
    return int(people.iloc[0]), int(people.sum())
