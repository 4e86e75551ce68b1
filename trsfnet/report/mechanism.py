"""The page on the mechanism: the effect of weight decay on scales, branches and accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter

from trsfnet.analysis import Analysis
from trsfnet.analysis.findings import MIN_SEEDS
from trsfnet.analysis.gradient_flow import initial_norms, mean_scale
from trsfnet.analysis.length import BASELINE, BOTH, LONG, LONG_USUAL_DECAY, SLOPES, select
from trsfnet.analysis.mechanism import NEAR_ONE, RATIOS, Answer, branches_over_constants, change, ladder
from trsfnet.analysis.reach import paper_regime
from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.mechanism import ENDS, LADDER, mechanism_configs
from trsfnet.models.inception_resnet import PAPER_SCALE
from trsfnet.paper.numbers import paper_table
from trsfnet.report import style
from trsfnet.report.branch_size import size_bias
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.text import counted, decimal, joined, percent, points, with_range

_BOTH, _BASELINE = style.look(BOTH), style.look(BASELINE)
_LINES = {
    "both": ("TRSF + PReLU", _BOTH.colour, _BOTH.dashes, _BOTH.marker),
    "projections": ("TRSF + PReLU, partial decay", style.NEGATIVE, "-.", "s"),
    "baseline": ("Constants, ReLU", _BASELINE.colour, _BASELINE.dashes, _BASELINE.marker),
}
_AVERAGED = {
    "ratio": "the arithmetic mean over modules",
    "ratio_geometric": "the geometric mean",
    "ratio_median": "the median",
}
_NOTHING = (
    "No run of this study is here yet. `make runs STUDY=mechanism` trains them: "
    f"{len(mechanism_configs())} small networks, about two minutes each on one core."
)
# Decay budget at which the horizontal axis changes from linear to logarithmic.
_LINEAR = 0.1


@lru_cache(maxsize=1)  # two pages show it
def decay_figure(found: Analysis) -> Picture | Markdown:
    """Plot scale, branch ratio and accuracy by decay budget, with gradient flow and the paper's scales."""
    rungs = _rungs(found)
    if rungs is None:
        return Markdown(_NOTHING)
    with style.applied():
        figure, panels = plt.subplots(1, 3, figsize=(style.FIGURE_WIDTH * 1.25, 3.9))
        for panel, quantity in zip(panels, ("scale", "ratio", "tar"), strict=True):
            for line in _LINES:
                _draw(panel, rungs[rungs["line"] == line], quantity, line)
            _budget_axis(panel)
        for panel, quantity in zip(panels, ("scale", "ratio"), strict=False):
            _long(panel, found.length, quantity)
        _flow(panels[0], found.starting_norms)
        _papers_scales(panels[0])
        panels[0].set(title="Scales", ylabel="Mean magnitude of the scales", yscale="log")
        panels[1].set(title="Branches", ylabel="‖branch‖ / ‖trunk‖", yscale="log")
        for panel in panels[:2]:
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(NullFormatter())
        panels[2].set(title="Accuracy", ylabel="TAR at FAR 1e-2, all pairs")
        panels[2].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        keys = {t: h for p in panels for h, t in zip(*p.get_legend_handles_labels(), strict=True)}
        figure.legend(keys.values(), keys.keys(), loc="outside lower center", ncols=3, handlelength=3)
    caption = _caption(rungs, found.length, found.starting_norms)
    return picture(figure, alt=_alt(rungs), caption=caption)


def _rungs(found: Analysis) -> pd.DataFrame | None:
    rungs = ladder(found.mechanism) if len(found.mechanism) else found.mechanism
    return rungs if len(rungs) else None


def _draw(panel: Axes, rungs: pd.DataFrame, quantity: str, line: str) -> None:
    """Draw each seed as a point and their mean as a line."""
    label, colour, dashes, marker = _LINES[line]
    shown = rungs.dropna(subset=[quantity])
    if not len(shown):
        return
    means = shown.groupby("decay_budget")[quantity].mean()
    panel.plot(means.index, means, dashes, color=colour, label=label, linewidth=1.6)
    look = {"color": colour, "markersize": 5, "alpha": 0.75}
    panel.plot(shown["decay_budget"], shown[quantity], marker, label=f"_{label}", **look)


def _long(panel: Axes, runs: pd.DataFrame, quantity: str) -> None:
    """Draw the runs of long training, which the lines do not include, as diamonds."""
    for variant in (BOTH, SLOPES):
        shown = runs[runs["variant"] == variant].dropna(subset=[quantity]) if len(runs) else runs
        if len(shown):
            panel.plot(
                shown["decay_budget"],
                shown[quantity],
                "D",
                color=style.look(variant).colour,
                markerfacecolor="none",
                markeredgewidth=1.6,
                markersize=7,
                zorder=5,
                label=f"{'TRSF' if variant == BOTH else 'Constants'} + PReLU, long training",
            )


def _budget_axis(panel: Axes) -> None:
    panel.set_xscale("symlog", linthresh=_LINEAR, linscale=0.5)
    panel.set(xlabel="Decay budget κ", xlim=(-0.02, 20))
    panel.xaxis.set_major_locator(FixedLocator([0, 0.1, 1, 10]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _flow(panel: Axes, norms: np.ndarray) -> None:
    """Draw the scales that gradient flow predicts if weight decay acts alone, for two widths."""
    if len(norms):
        budgets = np.concatenate([np.linspace(0, _LINEAR, 20), np.geomspace(_LINEAR, 15, 80)])
        for lines, width, of in (("--", "these networks", norms), (":", "full width", initial_norms("v1"))):
            predicted = mean_scale(budgets, of, start=PAPER_SCALE)
            panel.plot(budgets, predicted, lines, color=style.INK, label=f"Gradient flow, {width}")


def _papers_scales(panel: Axes) -> None:
    """Draw the paper's three average scales for v1, at the paper's decay budget."""
    values = list(paper_table(4).cells.values())
    where = [paper_regime().decay_budget] * len(values)
    panel.plot(where, values, "*", color=style.INK, markersize=10, label="The paper, table 4")


def _caption(rungs: pd.DataFrame, long: pd.DataFrame, norms: np.ndarray) -> str:
    marks = (
        "Points of one colour are runs on rendered faces that differ only in weight decay and seed; ratios "
        "are drawn as arithmetic means. Black curves: the prediction if the branches keep their initial "
        "size, dashed for these networks and dotted for the paper's width."
        f"{_beside_the_curve(rungs, norms)} Partial decay: only the kernels that the scales multiply decay. "
        "Stars: the paper's means of its scales, next to our means of magnitudes."
    )
    if len(long):
        marks += (
            f" Diamonds: long runs on more people, with {_further(rungs, long):.0f} times the travel, whose "
            "accuracy is not comparable."
        )
    opening = "Scales, branches and accuracy of v1 by decay budget κ."
    return " ".join([opening, *_findings(rungs), marks])


def _beside_the_curve(rungs: pd.DataFrame, norms: np.ndarray) -> str:
    """State where the mean scale lies above or below the prediction, with a leading space."""
    if not len(norms):
        return ""
    ends = rungs[rungs["line"] == "both"].groupby("decay_budget")["scale"].mean()
    predicted = mean_scale(ends.index.to_numpy(), norms, start=PAPER_SCALE)
    parts = [
        f"{side} at κ = {joined([f'{κ:.3g}' for κ in ends.index[where]])}"
        for side, where in (("above", ends > predicted), ("below", ends < predicted))
        if where.any()
    ]
    return (
        f" Compared with the dashed curve, the mean scale with TRSF and PReLU lies {joined(parts)}."
        if parts
        else ""
    )


def _further(rungs: pd.DataFrame, long: pd.DataFrame) -> float:
    """Return the travel of the long runs over that of the study's."""
    return float(long["travel"].max() / rungs["travel"].max())


def _alt(rungs: pd.DataFrame) -> str:
    panels = "Three panels by decay budget: mean scale, residual ratio, TAR."
    return " ".join([panels, *_findings(rungs)])


def _findings(rungs: pd.DataFrame) -> list[str]:
    """State how each quantity changes along the ladder of weight decays, in a sentence per quantity."""
    scale, tar = (change(rungs, quantity) for quantity in ("scale", "tar"))
    ratios = {name: of.effect for name in RATIOS if (of := change(rungs, name)) and of.effect}
    found = []
    if scale and scale.effect:
        found.append(
            f"With TRSF and PReLU ({counted(scale.seeds, 'seed')}, 95 % intervals in brackets), from κ = "
            f"{scale.low:.2g} to {scale.high:.3g}, the mean magnitude of the scales is multiplied by "
            f"{factor_text(scale.effect)}."
        )
    top = change(rungs, "scale", decays=LADDER[-2:])
    if top and top.effect and top.effect.low < 1:
        found.append(
            f"From κ = {top.low:.2g} to {top.high:.3g}, no further rise is found: the factor is "
            f"{factor_text(top.effect)}."
        )
    if ratios:
        means = [f"{factor_text(effect)} by {_AVERAGED[name]}" for name, effect in ratios.items()]
        found.append(f"The residual ratio, branch over trunk, is multiplied by {joined(means)}.")
    if tar and tar.effect:
        found.append(f"TAR at FAR 1e-2 changes by {points_text(tar.effect)} points.")
    partial = change(rungs, "tar", line="projections")
    if partial and partial.effect:
        found.append(f"With partial decay, TAR changes by {points_text(partial.effect)} points.")
    return found


def factor_text(interval: Interval) -> str:
    """Format a factor with its interval, such as `1.97 (1.31 to 2.99)`."""
    return with_range(interval.value, interval.low, interval.high, decimal)


def points_text(interval: Interval) -> str:
    """Format a difference between shares in points, such as `+2.3 (−1.6 to +6.2)`."""
    return with_range(interval.value, interval.low, interval.high, points)


_BRANCHES = {
    True: "the branches shrink relative to their trunk",
    False: "the branches grow relative to their trunk",
    None: "whether the branches shrink is undecided",
}


def verdict(found: Analysis) -> Markdown:
    """State whether strong weight decay alone explains scales as large as the paper's."""
    rungs = _rungs(found)
    if rungs is None or change(rungs, "scale") is None:
        return Markdown(_NOTHING)
    both = rungs[rungs["line"] == "both"]
    low, high = (both.loc[both["weight_decay"] == decay, "scale"].mean() for decay in ENDS)
    papers = list(paper_table(4).cells.values())
    makes = "makes" if high >= min(papers) else "does not make"
    shrunk = next(answer.decided for answer in found.answers if answer.question == "branches")
    text = (
        f"**In these short runs, weight decay alone {makes} the scales as large as the paper's**: with "
        f"{ENDS[1]:g} instead of {ENDS[0]:g}, their mean magnitude changes from {low:.2f} to {high:.2f} (the "
        f"paper's means for v1: {min(papers):.2f} to {max(papers):.2f}), and {_BRANCHES[shrunk]}."
    )
    return Markdown(f"{text}{_after_long_training(found, rungs)}")


def _after_long_training(found: Analysis, rungs: pd.DataFrame) -> str:
    """State the scales after long training, and whether decay causes them; empty without such runs."""
    long = select(found.length, LONG, BOTH) if len(found.length) else found.length
    if long.empty:
        return ""
    said = (
        f" With {_further(rungs, long):.0f} times the travel and more people, at the same decay budget, the "
        f"mean magnitude ends at {long['scale'].mean():.1f}."
    )
    (decay,) = (answer for answer in found.length_answers if answer.question == "decay")
    if decay.seeds < MIN_SEEDS:
        return f"{said} Whether decay or length causes this is open until `{LONG_USUAL_DECAY}` has ended."
    compared = (
        f"at this length, scales end {factor_text(decay.effects['scale'])} times as large with the paper's "
        "decay budget as with a fifth of it"
    )
    cause = {
        True: "Weight decay contributes to this",
        False: "Weight decay does not explain this",
        None: "Whether weight decay contributes to this is undecided",
    }
    return f"{said} {cause[decay.decided]}: {compared}."


def ladder_table(found: Analysis) -> Markdown:
    """Tabulate the ladder of weight decays, as means over seeds."""
    rungs = _rungs(found)
    if rungs is None:
        return Markdown(_NOTHING)
    quantities = ["decay_budget", "scale", "kernel", *RATIOS, "negative_slopes", "tar"]
    groups = rungs.groupby(["line", "weight_decay"])
    means, seeds = groups[quantities].mean(), groups.size()
    rows = [
        (
            _LINES[line][0],
            f"{decay:g}",
            f"{mean.decay_budget:.2f}",
            *(_number(mean[name]) for name in ("scale", "kernel", *RATIOS)),
            percent(mean.negative_slopes),
            percent(mean.tar),
            str(seeds[line, decay]),
        )
        for (line, decay), (_, mean) in zip(means.index.tolist(), means.iterrows(), strict=True)
    ]
    header = ("Runs", "Decay", "κ", "Mean |s|", "‖W‖", "Ratio, arithmetic mean", "Geometric mean", "Median")
    body = table((*header, "Negative slopes", "TAR at FAR 1e-2", "Seeds"), rows)
    caption = (
        "Scales, branches and accuracy by decay budget: means over seeds. With partial decay, only the "
        "kernels that the scales multiply decay. ‖W‖ is the norm of these kernels at the end over that at "
        "the start. The ratio is ‖branch‖ / ‖trunk‖: arithmetic mean, geometric mean and median over modules."
    )
    return Markdown(captioned(caption, "table-mechanism", body))


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"


_QUESTIONS = {
    "growth": ("Do scales end larger with strong weight decay than with the usual one?", "factor above 1"),
    "branches": (
        "Do branches add less to their trunk with strong weight decay than with the usual one?",
        "all three factors below 1",
    ),
    "gauge": (
        "Does it matter whether the initial function is written with scales of 0.1 or of 1?",
        "the factor between the final scales (start at 1 over start at 0.1) excludes 1 at both decays",
    ),
    "contraction": (
        "Do scales that start apart (at 0.03, 0.1, 0.3 and 1) come closer?",
        "ratio of the spread of log scales at the end to that at the start below 1 (the same spread of the "
        "residual ratios is for comparison)",
    ),
    "optimum": (
        f"Does the best size of the branches lie within {NEAR_ONE[0]} to {NEAR_ONE[1]} times the learned one "
        "in most runs?",
        "held-out loss lowest at such a factor on all scales in more than half of the runs, at both weight "
        "decays (the interval of this share counts runs that share a seed as independent; the mean of the "
        "best factors, with an interval over seeds, is for comparison)",
    ),
    "training": (
        "Does training the scale raise TAR over the constant 0.1 from which it starts?",
        "difference in TAR over the constant 0.1, in points, above 0 at both weight decays (facenet's "
        "constants are for comparison)",
    ),
}
_EFFECTS = {
    "scale": "mean magnitude",
    "ratio": "arithmetic mean",
    "ratio_geometric": "geometric mean",
    "ratio_median": "median",
    "over_ratio": "over the arithmetic mean",
    "over_ratio_geometric": "over the geometric mean",
    "over_ratio_median": "over the median",
}
_WORDS = {True: "yes", False: "no", None: "undecided"}


def questions(found: Analysis) -> Markdown:
    """Tabulate the questions of the study with their rule, the measured effects and the resulting answer."""
    name, caption = "table-mechanism-questions", "Questions of the study"
    notes = _notes(found)
    return answers_table(found.answers, _QUESTIONS, name, caption, notes) or Markdown(_NOTHING)


def _notes(found: Analysis) -> dict[str, str]:
    """Return what an answer alone would leave out, by question."""
    return {"optimum": size_bias(found.mechanism)}


def answers_table(
    answers: Sequence[Answer],
    texts: Mapping[str, tuple[str, str]],
    name: str,
    caption: str,
    notes: Mapping[str, str] | None = None,
) -> Markdown | None:
    """Tabulate the answers to questions; None without any.

    Args:
        answers: the answers.
        texts: the text of each question and of its rule, by the question's name.
        name: label of the table.
        caption: its caption.
        notes: a sentence to add to what was found, by the question's name.
    """
    if not answers:
        return None
    rows = []
    for answer in answers:
        question, rule = texts[answer.question]
        seeds = str(answer.seeds or "–")
        numbers = "; ".join(_effects(answer)) or "–"
        cell = f"{numbers}.<br>{note}" if (note := (notes or {}).get(answer.question)) else numbers
        rows.append((question, rule, cell, seeds, f"**{_word(answer)}**"))
    header = ("Question", "Yes if", "Found", "Seeds", "Answer")
    return Markdown(captioned(caption, name, table(header, rows)))


def _share(interval: Interval) -> str:
    return f"{percent(interval.value)} ({100 * interval.low:.0f} to {100 * interval.high:.0f})"


def over_constants(found: Analysis) -> Markdown:
    """Compare TRSF + PReLU with facenet's constants in residual ratio and TAR, at two weight decays."""
    if found.mechanism.empty:
        return Markdown(_NOTHING)
    rows = [
        (
            decay,
            "PReLU" if activation == "prelu" else "ReLU",
            *(factor_text(ratio) if (ratio := by_name[name][0]) else "–" for name in RATIOS),
            points_text(tar) if (tar := by_name["tar"][0]) else "–",
            str(by_name["tar"][1]),
        )
        for (decay, activation), by_name in branches_over_constants(found.mechanism).items()
    ]
    header = (
        "Weight decay",
        "Constants with",
        "Ratio, arithmetic mean",
        "Ratio, geometric mean",
        "Ratio, median",
        "TAR, points",
        "Seeds",
    )
    title = (
        "TRSF + PReLU compared with facenet's constants: residual ratio as a factor, TAR at FAR 1e-2 as a "
        "difference. With ReLU, the difference includes the effect of PReLU"
    )
    return Markdown(captioned(title, "table-mechanism-constants", table(header, rows)))


def answer_lines(found: Analysis) -> list[str]:
    """Return a line for each question of the study with measured effects: the answer and the effects."""
    return lines_of(found.answers, _QUESTIONS, _notes(found))


def lines_of(
    answers: Sequence[Answer],
    texts: Mapping[str, tuple[str, str]],
    notes: Mapping[str, str] | None = None,
) -> list[str]:
    """Return a line for each answer with measured effects; `texts` and `notes` as in `answers_table`."""
    return [
        f"{texts[each.question][0]} **{_word(each).capitalize()}** "
        f"({'; '.join(_effects(each))}; {counted(each.seeds, 'seed')}). "
        f"{(notes or {}).get(each.question, '')}".rstrip()
        for each in answers
        if each.effects
    ]


def _word(answer: Answer) -> str:
    if not answer.seeds:
        return "not run"
    return "too few seeds" if answer.seeds < MIN_SEEDS else _WORDS[answer.decided]


def _effects(answer: Answer) -> list[str]:
    """Format the effects that decide a question, as `name: value (low to high)`."""
    written = {"optimum": _share, "training": points_text}.get(answer.question, factor_text)
    return [
        f"{_EFFECTS.get(name, name)}: {(factor_text if name.startswith('best factor') else written)(effect)}"
        for name, effect in answer.effects.items()
    ]
