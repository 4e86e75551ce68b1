"""Which runs feed a figure of the paper, what is missing from it, and which claims rest on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Sized

from trsfnet.experiments.record import Record
from trsfnet.experiments.variants import feeding
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.claims.judged import judged
from trsfnet.report.claims.tables import subject_table
from trsfnet.report.collection import Collection, Group
from trsfnet.report.display import Markdown, folded, plain
from trsfnet.report.names import MEASURES, PUBLIC_TRACKS, counted, listed, setting_name, short_name
from trsfnet.report.runs import card_link, learned

Runs = dict[str, list[Record]]
"""By setting, in the paper's order, its runs ordered by seed; none for a setting that was not run."""


def by_track(collection: Collection, *tables: int) -> list[list[Group]]:
    """The paper's tables side by side on each track that anyone can run, and on the paper's if anyone did."""
    tracks = [[collection.group(table, track) for table in tables] for track in MEASURES]
    return [groups for groups in tracks if groups[0].track in PUBLIC_TRACKS or any(g.records for g in groups)]


def fed(groups: Sequence[Group], number: int) -> Runs:
    """The runs among `groups` that feed a figure of the paper."""
    keys = {setting.key for setting in feeding(f"figure {number}")}
    return {key: cell for group in groups for key, cell in group.cells.items() if key in keys}


def opening(groups: Sequence[Group], number: int) -> str:
    """How a caption begins, such as `Paper's figure 6 on our lfw track`."""
    return f"Paper's figure {number} on our {groups[0].track} track"


def nothing(groups: Sequence[Group], number: int) -> str:
    """What stands in the place of a figure without runs."""
    names = listed([short_name(setting) for setting in fed(groups, number)])
    return f"{opening(groups, number)}: no run of {names} has finished an epoch yet."


def missing(runs: Runs) -> str:
    """What a figure lacks, as sentences with a space before them; empty if it lacks nothing."""
    versions = {key.partition("-")[0] for key in runs}
    gone = {v for v in versions if not any(cell for key, cell in runs.items() if key.startswith(v))}
    names = [f"every setting of {v}" for v in sorted(gone)]
    names += [short_name(key) for key, cell in runs.items() if not cell and key.partition("-")[0] not in gone]
    text = f" Not run yet: {listed(names)}." if names else ""
    unfinished = [
        f"{short_name(r.setting)}, seed {r.seed} ({r.status})"
        for cell in runs.values()
        for r in cell
        if r.status != "done"
    ]
    return text + (f" Not finished: {'; '.join(unfinished)}." if unfinished else "")


def seeds_in_words(seeds: Mapping[str, Sized]) -> str:
    """Such as `3 seeds of each setting, but 1 of v2 + TRSF`.

    Args:
        seeds: of each setting that is shown.
    """
    numbers = {setting: len(of) for setting, of in seeds.items()}
    (most, _), *_ = Counter(numbers.values()).most_common()
    others = [f"{n} of {short_name(setting)}" for setting, n in numbers.items() if n != most]
    usual = f"{counted(most, 'seed')} of each setting"
    return f"{usual}, but {listed(others)}" if others else usual


def left_out(collection: Collection, tables: Sequence[int], kind: str) -> Markdown:
    """The runs that one might look for in figures of these tables, with what keeps each out.

    Args:
        collection: all runs.
        tables: numbers of the paper's tables whose runs the figures show.
        kind: what the figures are about: `trsf`, `slope`, or empty for all runs.
    """
    lines = [
        f"- {card_link(r, f'{setting_name(r)}, seed {r.seed}')}, `{r.info['track']}`: {plain(reason)}"
        for number in tables
        for r, reason in collection.others(number)
        if not kind or kind in learned(r)
    ]
    lines = list(dict.fromkeys(lines))
    parts = ["These figures show all runs of their settings."]
    if lines:
        parts = [
            folded(f"{counted(len(lines), 'run')} that these figures leave out, and why", "\n".join(lines))
        ]
    if collection.problems:
        number = counted(len(collection.problems), "record")
        parts.append(f"{number} cannot be read, for reasons given [with the claims](#campaigns).")
    return Markdown("\n\n".join(parts))


def verdicts(collection: Collection, subject: str, *ids: str) -> Markdown:
    """The claims that rest on figures, with their verdicts.

    Args:
        collection: all runs.
        subject: what the figures are about, for the caption.
        ids: of the claims.
    """
    return subject_table(subject, [claims_by_id()[name] for name in ids], judged(collection.records))
