"""Tables of the study: the highest rates without a collapse, the speed of training, and every collapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from trsfnet.analysis.quantities import QUANTITIES, Quantity
from trsfnet.analysis.stability import Ending, Study, StudyRun
from trsfnet.analysis.units import EPOCHS
from trsfnet.experiments.budgets import learning_rates
from trsfnet.experiments.variants import STABILITY, Variant, short_name
from trsfnet.report.card_links import card_link
from trsfnet.report.display import Markdown, captioned, folded, plain, table
from trsfnet.report.names import TRACKS
from trsfnet.report.run_state import message
from trsfnet.report.stability.labels import KINDS, kind, label
from trsfnet.text import counted, joined

_CAPTIONS = {
    "epochs_to_half": "Epochs until half of the training images are classified correctly",
    "tar": "TAR at FAR 1e-3 on unseen people, after the last epoch",
}


def about(study: Study | None) -> Markdown:
    """Describe the runs of the study: sizes, rates and seeds, and the runs that have not ended."""
    if study is None:
        planned = {rate: [seeds] for rate, seeds in learning_rates("stability").items()}
        return Markdown(
            f"The plan has {len(STABILITY)} variants at the learning rates {_rates_by_seeds(planned)}; "
            "no run has been made yet."
        )
    config = study.runs[0].run.config
    faces = study.runs[0].run.info["data"]["train"]
    rates = _rates_by_seeds(
        {rate: [len(study.cell(variant.key, rate)) for variant in study.variants] for rate in study.rates}
    )
    parts = [
        f"The study has {counted(len(study.runs), 'run')} on {TRACKS[study.campaign.track]}: "
        f"{counted(len(study.variants), 'variant')} of v1 at {Fraction(config['width'])} of its width, "
        f"{counted(config['epochs'], 'epoch')} on {faces['images']:,} images of {faces['identities']:,} "
        f"people at {config['image_size']} px; learning rates {rates}."
    ]
    for status, words in {
        "running": "not ended yet",
        "failed": "failed for a reason other than a collapse",
    }.items():
        number = sum(run.status == status for run in study.unended)
        if number:
            parts.append(f"{counted(number, 'run')} {'has' if number == 1 else 'have'} {words}.")
    old = sum(bool(run.run.stale) for run in study.runs)
    if old:
        parts.append(f"{counted(old, 'run')} of {len(study.runs)} made by earlier code.")
    return Markdown(" ".join(parts))


def _rates_by_seeds(seeds: Mapping[float, Sequence[int]]) -> str:
    """Return rates with their seeds per variant: `0.05 and 0.1 (5 seeds) and 0.2 (up to 10 seeds)`."""
    rates: dict[str, list[str]] = {}
    for rate, numbers in seeds.items():
        words = f"{'' if min(numbers) == max(numbers) else 'up to '}{counted(max(numbers), 'seed')}"
        rates.setdefault(words, []).append(f"{rate:g}")
    return joined([f"{joined(those)} ({words})" for words, those in rates.items()])


def limits(study: Study | None) -> Markdown | None:
    """Tabulate the highest rate up to which no seed collapses, and the lowest with a collapse, by variant."""
    if study is None:
        return None
    header = (
        "Scale",
        "Initial value or constant",
        "No seed collapses up to",
        "First collapse at",
        "Runs collapsed",
    )
    rows = [(KINDS[kind(variant)], label(variant), *_limits(study, variant)) for variant in study.variants]
    caption = "The highest learning rate, among those tried, up to which no seed of a variant collapses."
    return Markdown(captioned(caption, "stability-limits", table(header, rows)))


def _limits(study: Study, variant: Variant) -> tuple[str, str, str]:
    runs = study.of(variant.key)
    first = min((run.run.learning_rate for run in runs if run.collapsed), default=None)
    sound = [rate for rate in study.rates if study.cell(variant.key, rate)]
    sound = [rate for rate in sound if first is None or rate < first]
    return (
        f"{sound[-1]:g}" if sound else "none tried",
        "none tried" if first is None else f"{first:g}",
        f"{sum(run.collapsed for run in runs)} of {len(runs)}",
    )


def speed(study: Study | None) -> Markdown | None:
    """Tabulate how fast and how well the runs that did not collapse trained, as means over seeds."""
    if study is None:
        return None
    tables = "\n".join(_speed_table(study, quantity) for quantity in _CAPTIONS)
    return Markdown(folded("Epochs until half are correct, and verification", tables))


def _speed_table(study: Study, quantity: str) -> str:
    header = ("Variant", *(f"Rate {rate:g}" for rate in study.rates))
    rows = [
        (
            short_name(variant.key),
            *(_mean(study.cell(variant.key, rate), QUANTITIES[quantity]) for rate in study.rates),
        )
        for variant in study.variants
    ]
    caption = f"{_CAPTIONS[quantity]}: mean over the runs that have it; their number in brackets if not all."
    return captioned(caption, f"stability-{quantity.replace('_', '-')}", table(header, rows))


def _mean(runs: Sequence[StudyRun], quantity: Quantity) -> str:
    """Return the mean of a quantity over the runs of one variant at one learning rate, as text."""
    if not runs:
        return "not run"
    known = [run.run.value(quantity) for run in runs if not run.run.is_bound(quantity)]
    values = [value for value in known if value is not None]
    if not values:
        return "collapsed" if all(run.collapsed for run in runs) else "not reached"
    mean = sum(values) / len(values)
    text = quantity.unit.bare(mean) if quantity.unit == EPOCHS else quantity.unit.text(mean)
    return text if len(values) == len(runs) else f"{text} ({len(values)} of {len(runs)})"


def collapses(study: Study | None) -> Markdown | None:
    """List every run that collapsed: how, when, and the message in its record."""
    if study is None:
        return None
    found = [run for variant in study.variants for run in study.of(variant.key) if run.collapsed]
    if not found:
        return Markdown("No run of the study has collapsed.")
    header = ("Variant", "Rate", "Seed", "How", "When", "Loss at chance or worse", "Message")
    caption = "Every collapse, with its message. Each seed links to its run."
    body = captioned(caption, "stability-collapses", table(header, map(_collapse_row, found)))
    return Markdown(folded(f"{counted(len(found), 'collapse')}, one by one", body))


def _collapse_row(found: StudyRun) -> tuple[str, ...]:
    run, since = found.run, found.astray_since
    seen = f"step {found.step}" if found.step else "the end"
    return (
        run.short_name,
        f"{run.learning_rate:g}",
        card_link(run, str(run.seed)),
        str(found.ending),
        f"{seen}, epoch {found.epoch}",
        f"from epoch {since} on" if since else ("at the end only" if found.ending == Ending.CHANCE else "–"),
        plain(message(run)),
    )
