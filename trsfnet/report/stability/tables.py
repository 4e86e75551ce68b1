"""Tables of the study: where each setting stops to train, how fast the others do, and every collapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trsfnet.experiments.budgets import learning_rates
from trsfnet.experiments.variants import STABILITY, Variant
from trsfnet.report.display import Markdown, captioned, folded, plain, table
from trsfnet.report.names import counted, listed, percent, short_name
from trsfnet.report.runs import card_link, is_stale
from trsfnet.report.stability.study import CHANCE, KINDS, Outcome, Study, kind, label

_QUANTITIES = {
    "epochs_to_half": "Epochs until half of the training images are classified rightly",
    "tar": "TAR at FAR 1e-3 on unseen people, after the last epoch",
}


def about(study: Study | None) -> Markdown:
    """What was run: sizes, rates and seeds, and what has not ended."""
    if study is None:
        planned = {rate: [seeds] for rate, seeds in learning_rates("stability").items()}
        return Markdown(
            f"Planned are {len(STABILITY)} settings at the learning rates {_rates_by_seeds(planned)}; "
            "the runs have not been made yet."
        )
    config = study.every[0].record.config
    faces = study.every[0].record.info["data"]["train"]
    rates = _rates_by_seeds(
        {
            rate: [len(study.outcomes.get((setting.key, rate), [])) for setting in study.settings]
            for rate in study.rates
        }
    )
    parts = [
        f"{counted(len(study.every), 'run')} on the `{study.judged.campaign.track}` track: "
        f"{counted(len(study.settings), 'setting')} of v1 at {config['width']:g} of its width, "
        f"{counted(config['epochs'], 'epoch')} on {faces['images']:,} images of {faces['identities']:,} "
        f"people at {config['image_size']} px; learning rates {rates}."
    ]
    for status, words in {
        "running": "not ended yet",
        "failed": "failed for another reason than a collapse",
    }.items():
        number = sum(record.status == status for record in study.unended)
        if number:
            parts.append(f"{counted(number, 'run')} {'has' if number == 1 else 'have'} {words}.")
    old = sum(is_stale(outcome.record) for outcome in study.every)
    if old:
        parts.append(f"{counted(old, 'run')} of {len(study.every)} made by earlier code than the present.")
    return Markdown(" ".join(parts))


def _rates_by_seeds(seeds: Mapping[float, Sequence[int]]) -> str:
    """Such as `0.05 and 0.1 (5 seeds) and 0.2 (up to 10 seeds)`, of how many seeds each setting has."""
    rates: dict[str, list[str]] = {}
    for rate, numbers in seeds.items():
        words = f"{'' if min(numbers) == max(numbers) else 'up to '}{counted(max(numbers), 'seed')}"
        rates.setdefault(words, []).append(f"{rate:g}")
    return listed([f"{listed(those)} ({words})" for words, those in rates.items()])


def limits(study: Study | None) -> Markdown | None:
    """Of each setting: the largest rate below which no seed collapsed, and the smallest at which one did."""
    if study is None:
        return None
    header = ("Scale", "Start or constant", "Every seed trains up to", "First collapse at", "Runs collapsed")
    rows = [(KINDS[kind(setting)], label(setting), *_limits(study, setting)) for setting in study.settings]
    caption = "Up to which learning rate each setting trains, of those that were tried."
    return Markdown(captioned(caption, "stability-limits", table(header, rows)))


def _limits(study: Study, setting: Variant) -> tuple[str, str, str]:
    runs = study.of(setting.key)
    fell = [
        rate
        for rate in study.rates
        if any(o.run.collapsed for o in study.outcomes.get((setting.key, rate), []))
    ]
    tried = [rate for rate in study.rates if (setting.key, rate) in study.outcomes]
    sound = [rate for rate in tried if not fell or rate < fell[0]]
    return (
        f"{sound[-1]:g}" if sound else "none tried",
        f"{fell[0]:g}" if fell else "none tried",
        f"{sum(o.run.collapsed for o in runs)} of {len(runs)}",
    )


def speed(study: Study | None) -> Markdown | None:
    """How fast and how well the runs trained that did not collapse: means over seeds."""
    if study is None:
        return None
    tables = "\n".join(_speed_table(study, quantity) for quantity in _QUANTITIES)
    return Markdown(folded("Epochs until half are right, and verification", tables))


def _speed_table(study: Study, quantity: str) -> str:
    header = ("Setting", *(f"Rate {rate:g}" for rate in study.rates))
    rows = [
        (
            short_name(setting.key),
            *(_mean(study.outcomes.get((setting.key, rate), []), quantity) for rate in study.rates),
        )
        for setting in study.settings
    ]
    caption = (
        f"{_QUANTITIES[quantity]}: mean over the runs that have it, in brackets their number if not all."
    )
    return captioned(caption, f"stability-{quantity.replace('_', '-')}", table(header, rows))


def _mean(outcomes: list[Outcome], quantity: str) -> str:
    """Of one setting at one learning rate."""
    if not outcomes:
        return "not run"
    values = [
        value
        for outcome in outcomes
        if (value := outcome.run.value(quantity)) is not None and not outcome.run.is_bound(quantity)
    ]
    if not values:
        return "collapsed" if all(o.run.collapsed for o in outcomes) else "not reached"
    mean = sum(values) / len(values)
    text = f"{mean:.1f}" if quantity == "epochs_to_half" else percent(mean)
    return text if len(values) == len(outcomes) else f"{text} ({len(values)} of {len(outcomes)})"


def collapses(study: Study | None) -> Markdown | None:
    """Every run that collapsed: when, how, and in the words of its record."""
    if study is None:
        return None
    fell = [o for setting in study.settings for o in study.of(setting.key) if o.run.collapsed]
    if not fell:
        return Markdown("No run of the study has collapsed.")
    header = ("Setting", "Rate", "Seed", "How", "Seen", "Loss at chance or worse", "Message")
    caption = "Every collapse, with the message of its record. Seeds lead to the run."
    body = captioned(caption, "stability-collapses", table(header, map(_collapse_row, fell)))
    return Markdown(folded(f"{counted(len(fell), 'collapse')}, one by one", body))


def _collapse_row(outcome: Outcome) -> tuple[str, ...]:
    record, since = outcome.record, outcome.astray_since
    seen = (
        f"step {outcome.step}, epoch {outcome.epoch}" if outcome.step else f"the end, epoch {outcome.epoch}"
    )
    return (
        short_name(record.setting),
        f"{record.config['learning_rate']:g}",
        card_link(record, str(record.seed)),
        outcome.fate,
        seen,
        f"from epoch {since} on" if since else ("at the end only" if outcome.fate == CHANCE else "–"),
        plain(str(record.info.get("message", ""))),
    )
