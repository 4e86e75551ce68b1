"""The page on width: whether wide networks fail to train where narrow ones do not."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from trsfnet.analysis import Analysis
from trsfnet.analysis.held_out import OUTCOMES
from trsfnet.analysis.width import (
    LARGE,
    NARROW,
    SMALL,
    TRAINED_FROM_LARGE,
    TRAINED_FROM_SMALL,
    WIDE,
    Pairs,
    answers,
    largest_factors,
    pairs,
)
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.figures import legend_below
from trsfnet.report.mechanism import answers_table, factor_text
from trsfnet.text import capitalised, counted, joined, percent

_NOTHING = "No run has ended yet, so no question is answered."
_QUESTIONS = {
    "wide-1": (
        "With the constant 1, is the loss higher at full width than at an eighth?",
        "full width over an eighth above 1",
    ),
    "wide-0.1": (
        "With the constant 0.1, is the loss higher at full width than at an eighth?",
        "full width over an eighth above 1",
    ),
    "constant": (
        "At full width, is the loss higher with the constant 1 than with 0.1?",
        "constant 1 over 0.1 above 1",
    ),
    "penalty": (
        "Does the constant 1 raise the loss more at full width than at an eighth?",
        "constant 1 over 0.1 at full width, divided by the same at an eighth, above 1",
    ),
    "trained-0.1": (
        "At full width, does a scale trained from 0.1 lower the loss below that with the constant 1?",
        "trained from 0.1 over constant 1 below 1",
    ),
    "trained-1": (
        "At full width, does a scale trained from 1 lower the loss below that with the constant 1?",
        "trained from 1 over constant 1 below 1",
    ),
}
_VARIANTS = {
    SMALL: "constant 0.1",
    LARGE: "constant 1",
    TRAINED_FROM_SMALL: "from 0.1",
    TRAINED_FROM_LARGE: "from 1",
}
# Label, face of the marker and horizontal shift of each width.
_WIDTHS = {NARROW: ("1/8 of the width", "none", -0.13), WIDE: ("Full width", style.POSITIVE, 0.13)}
_END = next(iter(OUTCOMES))


def ceilings(found: Analysis) -> Markdown:
    """State the largest factors that the runs at full width can show, given those at an eighth of it."""
    known = largest_factors(found.width)
    if not known:
        return Markdown(_NOTHING)
    constants = {"wide-1": "1", "wide-0.1": "0.1"}
    clauses = [
        f"with the constant {constants[question]}, "
        + joined([f"{factor_text(effect)} for the {name}" for name, effect in effects.items()])
        for question, effects in known.items()
    ]
    return Markdown(
        "If every run at full width ended at chance, the factors over the runs at an eighth of the width "
        f"would be, {'; '.join(clauses)}. No larger effect of width can be found."
    )


def questions(found: Analysis) -> Markdown:
    """Tabulate the questions with their rules, the measured factors and the answers, and what is left out."""
    runs = found.width
    if runs.empty:
        return Markdown(_NOTHING)
    compared = pairs(runs)
    sizes = sorted({len(each.complete) for each in compared.values()})
    caption = (
        "Questions of the study: factors between losses on held-out images, as means over "
        f"{joined(list(dict.fromkeys([str(sizes[0]), str(sizes[-1])])), 'to')} pairs of runs. The factors at "
        "the end and over training must lie on the same side of 1"
    )
    shown = answers_table(answers(runs), _QUESTIONS, "table-width-questions", caption)
    if not sizes[-1]:
        return Markdown(f"{shown}\n\nNo question can be answered before runs at full width have ended.")
    left_out = [
        f"- {_QUESTIONS[question][0]} {_left_out(each)}."
        for question, each in compared.items()
        if each.left_out
    ]
    if left_out:
        left_out.insert(0, "Pairs left out because a run to compare with has not ended:\n")
    return Markdown("\n\n".join(filter(None, [str(shown or ""), "\n".join(left_out)])))


def _left_out(compared: Pairs) -> str:
    """List the pairs that are left out, such as `Seeds 20 and 21 at rate 0.1`, by learning rate."""
    seeds: dict[float, list[str]] = {}
    for rate, seed in compared.left_out:
        seeds.setdefault(rate, []).append(str(seed))
    return capitalised(
        "; ".join(
            f"{'seed' if len(those) == 1 else 'seeds'} {joined(those)} at rate {rate:g}"
            for rate, those in seeds.items()
        )
    )


def losses_figure(found: Analysis) -> Picture | None:
    """Plot the loss of every run at the end, by learning rate, scale and width; None without runs."""
    runs = found.width
    if runs.empty:
        return None
    rates = sorted(runs["learning_rate"].unique())
    with style.panels(1, len(rates), 3.6, sharey=True) as (figure, (axes,)):
        for panel, rate in zip(axes, rates, strict=True):
            _panel(panel, runs[runs["learning_rate"] == rate])
            panel.set_title(f"Learning rate {rate:g}")
        axes[0].set_ylabel("Loss / chance level")
        axes[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        legend_below(figure, axes[0])
    finding = _finding(runs)
    return picture(
        figure,
        alt=f"Loss on held-out images by learning rate, scale and width. {finding}",
        caption=(
            f"{finding} Each point is a run; 100 % is chance level, at which a network has learned nothing. "
            "Scales are constant or trained from the value given."
        ),
    )


def _panel(panel: Axes, runs: pd.DataFrame) -> None:
    for study, (label, face, shift) in _WIDTHS.items():
        shown = runs[runs["study"] == study]
        places = [list(_VARIANTS).index(variant) + shift for variant in shown["variant"]]
        panel.plot(
            places, shown[_END], "o", color=style.POSITIVE, markerfacecolor=face, markersize=6, label=label
        )
    panel.axhline(1, color=style.INK, linewidth=0.8)
    panel.set_xticks(range(len(_VARIANTS)), list(_VARIANTS.values()), rotation=30, ha="right")
    panel.set(xlim=(-0.5, len(_VARIANTS) - 0.5), ylim=(0, 1.05), xlabel="Scale")


def _finding(runs: pd.DataFrame) -> str:
    """State the mean loss at the end with each constant, at both widths."""
    parts = []
    for variant in (SMALL, LARGE):
        means = [
            f"{percent(shown.mean())} {words} ({counted(len(shown), 'run')})"
            for study, words in ((WIDE, "at full width"), (NARROW, "at an eighth"))
            if len(shown := runs.loc[(runs["study"] == study) & (runs["variant"] == variant), _END])
        ]
        if means:
            parts.append(f"with the {_VARIANTS[variant]}, {joined(means)}")
    return f"Loss on held-out images at the end, over chance level: {'; '.join(parts)}." if parts else ""
