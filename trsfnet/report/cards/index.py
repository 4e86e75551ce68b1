"""The index of all runs: a table for each track and budget, with links to the cards."""

from __future__ import annotations

from collections import Counter

from trsfnet.analysis import Analysis
from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run
from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.record import STATUSES
from trsfnet.experiments.variants import STABILITY, variant_from
from trsfnet.report.card_links import STUDY, card_link, page_link, runs_popover
from trsfnet.report.display import Markdown, folded, list_of_problems, plain, table
from trsfnet.report.names import TRACKS, measure_header
from trsfnet.report.run_state import departures, state, value_of
from trsfnet.text import capitalised, counted, duration, joined

_APART = "outside every budget"


def runs_index(found: Analysis) -> Markdown:
    """List all runs by track, budget and variant. The book adds a filter above the tables."""
    parts, study = [], []
    for track in MEASURES:
        on_track = [run for run in found.runs if run.track == track]
        for at in (*BUDGETS, _APART):
            runs = [run for run in on_track if (_budget(run) or _APART) == at]
            if runs and at == STUDY:
                study.append(_study_section(track, runs))
            elif runs:
                parts.append(_section(track, at, sorted(runs, key=_order)))
    return Markdown("\n\n".join(parts + study) or "No run is recorded yet.")


def _budget(run: Run) -> str | None:
    """Return the budget of a run; for the stability study at any learning rate. None for other settings."""
    return STUDY if run.in_stability_study else run.budget


def _section(track: str, at: str, runs: list[Run]) -> str:
    words = at if at == _APART else f"budget {at}"
    title = f"### {capitalised(TRACKS[track])}, {words}: {counted(len(runs), 'run')}"
    measures = runs[0].measures
    header = [
        "Run",
        *(measure_header(measure, track) for measure in measures),
        "Status",
        "Wall time",
        "Differs in",
    ]
    rows = [
        [
            card_link(run, f"{run.short_name}, seed {run.seed}"),
            *(value_of(run, measure) if run.done else "–" for measure in measures),
            plain(state(run)),
            duration(run.info.get("seconds", 0.0)),
            ", ".join(departures(run)) or "–",
        ]
        for run in runs
    ]
    filterable = f"::::{{div}} filterable\n{table(header, rows)}\n::::"
    return f"{title}\n\n{folded('List of runs', filterable)}"


def _study_section(track: str, runs: list[Run]) -> str:
    """List the hundreds of runs of the stability study by variant and learning rate."""
    title = f"### {capitalised(TRACKS[track])}, budget {STUDY}: {counted(len(runs), 'run')}"
    about = (
        "These runs share one page per variant. The number of seeds opens a list with links to the runs. "
        "The filter does not affect them."
    )
    cells: dict[tuple[str, float], list[Run]] = {}
    for run in sorted(runs, key=_study_order):
        cells.setdefault((run.variant, run.config["learning_rate"]), []).append(run)
    rows = [
        [
            page_link(cell[0], cell[0].short_name),
            f"{rate:g}",
            *_counts(cell),
            _seeds(cell),
        ]
        for (_, rate), cell in cells.items()
    ]
    header = ["Variant", "Learning rate", "Done", "Collapsed", "Other", "Seeds"]
    return f"{title}\n\n{about}\n\n{folded('List of runs', table(header, rows))}"


def _seeds(cell: list[Run]) -> str:
    first = cell[0]
    name = f"study-{first.track}-{first.variant}-{first.learning_rate:g}".replace(".", "-")
    return runs_popover(name, [(f"seed {run.seed}", run) for run in cell], counted(len(cell), "seed"))


def _study_order(run: Run) -> tuple[int, float, int, str]:
    return (
        STABILITY.index(variant_from(run.config)),
        run.config["learning_rate"],
        run.seed,
        run.run_id,
    )


def _counts(cell: list[Run]) -> tuple[str, str, str]:
    """Return how many runs are done, collapsed, and neither."""
    ended = Counter(run.status for run in cell)
    done, collapsed = ended["done"], ended["collapsed"]
    return f"{done}", f"{collapsed}", f"{len(cell) - done - collapsed}"


def _order(run: Run) -> tuple[str, int, str]:
    return run.variant, run.seed, run.run_id


def unreadable(found: Analysis) -> Markdown:
    """List the records that cannot be shown, each with the reason."""
    if not found.problems:
        return Markdown("Every record can be read.")
    return Markdown(list_of_problems(found.problems))


def verdict(found: Analysis) -> Markdown:
    """State the number of runs, how they ended, and how many of them the current code made."""
    if not found.runs:
        return Markdown("**No run is recorded yet.**")
    ended = Counter(run.status for run in found.runs)
    old = sum(bool(run.stale) for run in found.runs)
    present = len(found.runs) - old
    counts = joined([f"{ended[status]} {status}" for status in STATUSES if ended[status]])
    return Markdown(
        f"**{counted(len(found.runs), 'run')}: {counts}.** "
        f"The current code made {present} of them, earlier code {old}."
    )
