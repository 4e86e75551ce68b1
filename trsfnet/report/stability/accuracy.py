"""How far each setting got in the epochs that it had: its training accuracy, against that of others.

Whether a run collapsed is one bit of it, and most of what tells settings apart lies above chance.
"""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from trsfnet.analysis.contrasts import Effect, contrast, pooled_spread
from trsfnet.paper.claims import CollapseRate, claims_by_id
from trsfnet.report import style
from trsfnet.report.display import Exhibit, Markdown, captioned, exhibit, table
from trsfnet.report.names import counted, listed, percent, points, short_name
from trsfnet.report.stability.curves import LOOKS, starts_key
from trsfnet.report.stability.study import KINDS, QUESTIONS, Study, kind, start

# Settings stand beside each other at a rate, not on each other.
_STEP = 0.13


def accuracy_figure(study: Study | None) -> Exhibit | None:
    """Training accuracy by learning rate, a panel for each kind of scale: means over all seeds."""
    if study is None:
        return None
    kinds = sorted({kind(setting) for setting in study.settings})
    with style.applied():
        figure, axes = plt.subplots(
            1, len(kinds), figsize=(style.FIGURE_WIDTH, 3.6), sharex=True, sharey=True, squeeze=False
        )
        for panel, number in zip(axes[0], kinds, strict=True):
            _panel(panel, study, number)
            panel.set_title(KINDS[number], fontsize=10)
            panel.set_xlabel("Learning rate at the start")
        axes[0][0].set_ylabel("Training images\nclassified rightly (%)")
        figure.legend(handles=starts_key(study), loc="outside lower center", ncols=3)
    finding = _finding(study)
    epochs = counted(study.every[0].record.config["epochs"], "epoch")
    caption = (
        f"Training accuracy in the last of {epochs}: means over all seeds, also those that collapsed, with "
        f"95 % intervals (Student's t). {finding}"
    )
    alt = f"Training accuracy by learning rate, a panel for each kind of scale. {finding}"
    return exhibit(figure, alt=alt, caption=caption)


def _panel(panel: Axes, study: Study, number: int) -> None:
    settings = [setting for setting in study.settings if kind(setting) == number]
    rates = study.rates
    for i, setting in enumerate(settings):
        colour, marker = LOOKS[start(setting)]
        found = {x: _mean(study, setting.key, rate) for x, rate in enumerate(rates)}
        means = {x: effect for x, effect in found.items() if effect}
        panel.errorbar(
            [x + _STEP * (i - (len(settings) - 1) / 2) for x in means],
            [100 * effect.estimate for effect in means.values()],
            yerr=[100 * (effect.interval.high - effect.estimate) for effect in means.values()],
            color=colour,
            marker=marker,
            markersize=4.5,
            linewidth=1.1,
            elinewidth=1.1,
        )
    panel.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates], fontsize=9)
    panel.set_ylim(0, 100)


def differences(study: Study | None) -> Markdown | None:
    """The training accuracy of the settings that the questions compare, at each learning rate."""
    if study is None:
        return None
    header = ("First less second setting", *(f"Rate {rate:g}" for rate in study.rates))
    rows = [
        (f"{short_name(a)} − {short_name(b)}", *(_written(_difference(study, a, b, r)) for r in study.rates))
        for claim in QUESTIONS.values()
        for a, b in _pairs(claim)
    ]
    caption = (
        "Differences in training accuracy, in points with their 95 % intervals (Welch's t), each by itself. "
        "No rule on them was fixed before there were results, so that no verdict rests on them."
    )
    return Markdown(captioned(caption, "stability-differences", table(header, rows)))


def told_apart(study: Study, claim: str) -> list[str]:
    """At which rates training accuracy tells the settings of a claim apart, a sentence for each pair."""
    return [_sentence(study, first, second) for first, second in _pairs(claim)]


def _sentence(study: Study, first: str, second: str) -> str:
    effects = {rate: _difference(study, first, second, rate) for rate in study.rates}
    clear = [
        f"{_written(effect)} points at {rate:g}"
        for rate, effect in effects.items()
        if effect and not effect.interval.low <= 0 <= effect.interval.high
    ]
    found = f"{listed(clear)}; no other rate tells" if clear else "no rate tells"
    return f"Training accuracy, {short_name(first)} − {short_name(second)}: {found} them apart."


def _pairs(claim: str) -> list[tuple[str, str]]:
    rule = claims_by_id()[claim].rule
    assert isinstance(rule, CollapseRate)
    return [(first, second) for first in rule.of for second in rule.than or ()]


def _difference(study: Study, first: str, second: str, rate: float) -> Effect | None:
    return _effect(study, {first: 1.0, second: -1.0}, rate)


def _mean(study: Study, setting: str, rate: float) -> Effect | None:
    return _effect(study, {setting: 1.0}, rate)


def _effect(study: Study, weights: dict[str, float], rate: float) -> Effect | None:
    """None where a setting has fewer than two seeds at the rate."""
    cells = [study.outcomes.get((setting, rate), []) for setting in weights]
    values = [{outcome.record.seed: outcome.accuracy for outcome in cell} for cell in cells]
    # Each has its own: those that train well lie close together, those on the verge far apart.
    spreads = [spread for each in values if (spread := pooled_spread([each]))]
    return contrast(values, list(weights.values()), spreads) if len(spreads) == len(values) else None


def _written(effect: Effect | None) -> str:
    if effect is None:
        return "–"
    interval = effect.interval
    return f"{points(effect.estimate)} ({points(interval.low)} to {points(interval.high)})"


def _finding(study: Study) -> str:
    """At which rate the settings lie furthest apart, and between which."""
    widest = ("", 0.0)
    for rate in study.rates:
        means = {
            setting: float(np.mean([outcome.accuracy for outcome in cell]))
            for (setting, r), cell in study.outcomes.items()
            if r == rate
        }
        worst, best = min(means, key=lambda s: means[s]), max(means, key=lambda s: means[s])
        text = (
            f"Settings lie furthest apart at rate {rate:g}: from {percent(means[worst])} "
            f"({short_name(worst)}) to {percent(means[best])} ({short_name(best)})."
        )
        widest = max(widest, (text, means[best] - means[worst]), key=lambda found: found[1])
    return widest[0]
