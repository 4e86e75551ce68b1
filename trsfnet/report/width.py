"""The page on width: whether wide networks fail to train where narrow ones do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from trsfnet.analysis import Analysis
from trsfnet.analysis.findings import MIN_SEEDS
from trsfnet.analysis.held_out import OUTCOMES
from trsfnet.analysis.mechanism import Answer
from trsfnet.analysis.width import (
    LARGE,
    NARROW,
    SMALL,
    TRAINED_FROM_LARGE,
    TRAINED_FROM_SMALL,
    WIDE,
    Conclusion,
    Pairs,
    complete,
    conclusion,
    largest_factors,
    pairs,
)
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.figures import legend_below
from trsfnet.report.mechanism import answers_table, factor_text
from trsfnet.report.names import at_rates
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
_END, _AVERAGE = OUTCOMES
_WHEN = {_END: "at the end", _AVERAGE: "over training"}


def ceilings(found: Analysis) -> Markdown:
    """State the largest factors that the runs at full width can show, given those at an eighth of it."""
    known = {
        question: joined([f"{factor_text(effect)} {_WHEN[name]}" for name, effect in effects.items()])
        for question, effects in largest_factors(found.width).items()
    }
    if not known:
        return Markdown(_NOTHING)
    clauses = [
        f"with the constant {constant}, {known[question]}"
        for question, constant in (("wide-1", "1"), ("wide-0.1", "0.1"))
        if question in known
    ]
    return Markdown(
        "A loss counts as at most 100 % of chance level, which limits the effect of width that this study "
        "can find. Even if every run at full width were at chance in every epoch, its loss would be only "
        f"these multiples of that at an eighth of the width: {'; '.join(clauses)}. If width does not change "
        "the loss with the constant 0.1, the factors for the constant 1 also limit how much more this "
        "constant can raise the loss at full width."
    )


def verdict(found: Analysis) -> Markdown | None:
    """State how many runs collapsed and what the answers say together; None before any run at full width."""
    runs = found.width
    if runs[runs["study"] == WIDE].empty:
        return None
    if max(answer.seeds for answer in found.width_answers) < MIN_SEEDS:
        return Markdown(
            f"{_collapses(runs)} No question can be answered before runs with {MIN_SEEDS} seeds have ended."
        )
    concluded = conclusion(found.width_answers)
    said = (_collapses(runs), _effect(concluded), _constants(found.width_answers), _of_trained(concluded))
    return Markdown(" ".join(filter(None, said)))


def finding(found: Analysis) -> str:
    """State in short what the study shows; empty until all planned runs of both widths have ended."""
    if not complete(found.width):
        return ""
    answers = found.width_answers
    return " ".join(
        filter(None, (_collapses(found.width), _effect(conclusion(answers)), _constants(answers)))
    )


def _collapses(runs: pd.DataFrame) -> str:
    """State how many runs of each width collapsed, and at which learning rates."""
    ended = "" if complete(runs) else " that have ended"
    wide, narrow = (runs[runs["study"] == study] for study in (WIDE, NARROW))
    lost = wide[wide["collapsed"]]
    trained = int(lost["trained"].sum())
    kinds = f" ({len(lost) - trained} with constant and {trained} with trained scales)" if len(lost) else ""
    return (
        f"Of {counted(len(wide), 'run')} at full width{ended}, {_number(wide)} collapsed{_rates(wide)}"
        f"{kinds}; of {len(narrow)} at an eighth of the width, {_number(narrow)} did{_rates(narrow)}."
    )


def _number(runs: pd.DataFrame) -> str:
    return str(runs["collapsed"].sum() or "none")


def _rates(runs: pd.DataFrame) -> str:
    rates = runs.loc[runs["collapsed"], "learning_rate"]
    return f", {at_rates(rates)}" if len(rates) else ""


def _effect(found: Conclusion) -> str:
    """State whether width impairs training and, if it does, whether a small constant helps."""
    if found.impairs is None:
        return "It remains open whether width impairs training with the constant 1."
    if not found.impairs:
        return (
            "Width does not impair training here: with the constant 1, the loss on held-out images is lower "
            "at full width than at an eighth."
        )
    return (
        "Width impairs training: with the constant 1, the loss on held-out images is higher at full width "
        f"than at an eighth. {_REDUCES[found.reduces]}; {_PREVENTS[found.prevents]}."
    )


def _constants(answers: Sequence[Answer]) -> str:
    """Compare the loss at full width with the constant 1 with its counterparts, as far as measured."""
    others = {"wide-1": "at an eighth of the width", "constant": "with the constant 0.1"}
    factors = [
        f"{factor_text(effect)} times that {other}"
        for answer in answers
        if (other := others.get(answer.question)) and (effect := answer.effects.get(_END))
    ]
    if not factors:
        return ""
    return f"At full width with the constant 1, the held-out loss at the end is {joined(factors)}."


_REDUCES = {
    True: "The constant 0.1 reduces this effect",
    False: "The constant 0.1 does not reduce this effect",
    None: "It remains open whether the constant 0.1 reduces this effect",
}
_PREVENTS = {
    True: "it prevents it, because with this constant the loss is lower at full width",
    False: "it does not prevent it",
    None: "whether it prevents it remains open",
}
_TRAINED = {
    True: "scales trained from {} lower the loss below that with the constant 1",
    False: "scales trained from {} raise the loss above that with the constant 1",
    None: "it remains open whether scales trained from {} lower the loss below that with the constant 1",
}


def _of_trained(found: Conclusion) -> str:
    """State whether trained scales lower the loss at full width below that with the constant 1."""
    clauses = [
        clause.format(joined(starts, "or from" if decided is None else "and from"))
        for decided, clause in _TRAINED.items()
        if (starts := [start for start, answer in found.trained.items() if answer is decided])
    ]
    return f"At full width, {'; '.join(clauses)}."


def questions(found: Analysis) -> Markdown:
    """Tabulate the questions with their rules, the measured factors and the answers, and what is left out."""
    runs = found.width
    if runs.empty:
        return Markdown(_NOTHING)
    compared = pairs(runs)
    fewest, *_, most = sorted(len(each.complete) for each in compared.values())
    size = f"{fewest} to {most}" if 0 < fewest < most else f"up to {most}" if fewest < most else f"{most}"
    caption = (
        f"Questions of the study: factors between losses on held-out images, as means over {size} "
        f"{'pair' if most == 1 else 'pairs'} of runs. The factors at the end and over training must lie on "
        "the same side of 1"
    )
    shown = answers_table(found.width_answers, _QUESTIONS, "table-width-questions", caption)
    if not most:
        return Markdown(f"{shown}\n\nNo question can be answered before runs at full width have ended.")
    return Markdown("\n\n".join(filter(None, [str(shown or ""), _left_out(compared)])))


# Up to this number, the pairs that a question leaves out are named.
_NAMED = 3


def _left_out(compared: Mapping[str, Pairs]) -> str:
    """List the pairs left out by question, or state how many there are, if many; empty without any."""
    numbers = [len(each.left_out) for each in compared.values() if each.left_out]
    if not numbers:
        return ""
    if max(numbers) > _NAMED:
        return (
            f"Up to {max(numbers)} pairs of a question are left out because one of their runs has not ended."
        )
    lines = [
        f"- {_QUESTIONS[question][0]} {_named(each)}." for question, each in compared.items() if each.left_out
    ]
    return "\n".join(["Pairs left out because one of their runs has not ended:\n", *lines])


def _named(compared: Pairs) -> str:
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
    """State the mean loss at the end with each constant, over pairs of runs that differ in width alone."""
    compared, parts = pairs(runs), []
    for question, variant in (("wide-0.1", SMALL), ("wide-1", LARGE)):
        if twins := compared[question].complete:
            narrow, wide = (
                percent(losses[_END].loc[twins].mean())
                for losses in (compared[question].first, compared[question].second)
            )
            number = f"means over {counted(len(twins), 'pair')}"
            parts.append(
                f"with the {_VARIANTS[variant]}, {wide} at full width and {narrow} at an eighth ({number})"
            )
    return f"Loss on held-out images at the end, over chance level: {'; '.join(parts)}." if parts else ""
