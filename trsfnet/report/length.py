"""The page on the length of training: what long training does to scales, kernels and branches."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from trsfnet.analysis import Analysis
from trsfnet.analysis.averages import geometric_mean
from trsfnet.analysis.findings import MIN_SEEDS
from trsfnet.analysis.length import BOTH, LONG, LONG_USUAL_DECAY, growth, select
from trsfnet.analysis.mechanism import RATIOS, Answer
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.reach import paper_regime
from trsfnet.experiments.variants import short_name
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.report.figures import legend_below
from trsfnet.report.mechanism import answers_table, factor_text, lines_of
from trsfnet.text import NBSP, capitalised, decimal, in_words, percent

_NOTHING = "No long run has finished yet."
_STUDIES = {LONG: "the paper's decay budget", LONG_USUAL_DECAY: "the usual weight decay"}
_LINES = {
    "scale": ("Scale |s|", style.POSITIVE, "-"),
    "kernel": ("Kernel norm ‖W‖", style.NEGATIVE, "--"),
    "ratio": ("‖branch‖ / ‖trunk‖", style.INK, ":"),
}
_QUESTIONS = {
    "outgrow": (
        "With TRSF and PReLU at the paper's decay budget, do the scales grow by a larger factor than the "
        "ratio?",
        "growth of the scale over growth of the ratio above 1, for all three averages",
    ),
    "decay": (
        "At equal length, do the scales end larger with the paper's decay budget than with a fifth of it?",
        "factor above 1",
    ),
    "shrink": (
        "At equal length, do the branches add less with the paper's decay budget than with a fifth of it?",
        "all three factors below 1",
    ),
    "constants": (
        "At the paper's decay budget, do branches add more with TRSF than with constants, both with PReLU?",
        "all three factors above 1",
    ),
}


def findings(found: Analysis) -> dict[str, str]:
    """State what happens to scales, branches and slopes in long training at the paper's decay budget.

    Returns:
        Sentences by topic: `scales`, `branches` and `slopes`; empty without runs with TRSF and PReLU.
    """
    if found.length.empty:
        return {}
    both = select(found.length, LONG, BOTH)
    if both.empty:
        return {}
    which = "our long run" if len(both) == 1 else f"our {in_words(len(both))} long runs"
    which = f"{which} of v1 with TRSF and PReLU"
    share = f"{100 * both['travel'].max() / paper_regime().travel:.0f}{NBSP}%"
    start, end = (both[name].mean() for name in ("scale_start", "scale"))
    scales = (
        f"In {which}, at the paper's decay budget and with {share} of its travel, the "
        f"mean magnitude of the scales {'grows' if end > start else 'shrinks'} from {start:.1f} to "
        f"{end:.1f}; their mean, which the paper reports, ends at "
        f"{decimal(both['signed_scale'].mean(), 1)}."
    )
    (compared,) = (answer for answer in found.length_answers if answer.question == "constants")
    branches = f"In {which}, {_growth_of_branches(both)}{_over_constants(compared)}."
    papers = QUANTITIES["slope_share_negative"].published()[BOTH]
    slopes = (
        f"In {which}, {percent(both['negative_slopes'].mean())} of the slopes end negative; in the paper's "
        f"v1 with TRSF and PReLU, {percent(papers)} do."
    )
    return {"scales": scales, "branches": branches, "slopes": slopes}


def scales(found: Analysis) -> Markdown | None:
    """State how scales end after long training, with a link to the page on it; None without such runs."""
    said = findings(found).get("scales")
    return Markdown(f"{said} See [the length of training](length.ipynb).") if said else None


def _growth_of_branches(runs: pd.DataFrame) -> str:
    """State the factor by which the residual ratio changes during training."""
    grown = [growth(runs, name) for name in RATIOS]
    low, high = min(grown), max(grown)
    if low <= 1 <= high:
        return (
            "what the branches add relative to their trunk ends, depending on the average, at "
            f"{low:.2f} to {high:.2f} times its start"
        )
    moved = f"grows to at least {low:.2f}" if low > 1 else f"shrinks to at most {high:.2f}"
    return f"what the branches add relative to their trunk {moved} times its start, by each of three averages"


def _over_constants(answer: Answer) -> str:
    """Compare the final residual ratio with that of constants; empty with fewer than two pairs of runs."""
    if not (effects := list(answer.effects.values())):
        return ""
    values, average = [effect.value for effect in effects], ""
    if all(value < 1 for value in values):
        factor, average = factor_text(max(effects, key=lambda effect: effect.high)), "highest upper"
    elif all(value > 1 for value in values):
        factor, average = factor_text(min(effects, key=lambda effect: effect.low)), "lowest lower"
    else:
        factor = f"{min(values):.2f} to {max(values):.2f}"
    details = [f"the average with the {average} bound"] if average else []
    if answer.decided is None:
        few = ", too few to decide" if answer.seeds < MIN_SEEDS else ", undecided"
        details.append(f"{in_words(answer.seeds)} pairs of runs{few}")
    said = f"; it ends at {factor} times that with constant scales and PReLU"
    return f"{said} ({'; '.join(details)})" if details else said


def course_figure(found: Analysis) -> Picture | Markdown:
    """Plot scale, kernel norm and ratio over training relative to their start, a panel per study."""
    courses = {study: tables for study in _STUDIES if (tables := found.length_courses.get(study))}
    if not courses:
        return Markdown(_NOTHING)
    with style.panels(1, len(courses), 3.8, sharey=True) as (figure, (axes,)):
        for panel, (study, tables) in zip(axes, courses.items(), strict=True):
            for name, (label, colour, dashes) in _LINES.items():
                for course in tables:
                    shown = label if course is tables[0] else None
                    panel.plot(course.index, course[name], dashes, color=colour, linewidth=1.4, label=shown)
            panel.axhline(1, color=style.INK, linewidth=0.8)
            panel.set(title=capitalised(_STUDIES[study]), xlabel="Epoch", yscale="log")
            panel.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20]))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(NullFormatter())
        axes[0].set_ylabel("Relative to the start")
        legend_below(figure, axes[0])
    ends = capitalised("; ".join(f"with {_STUDIES[study]}, {_ends(t)}" for study, t in courses.items()))
    return picture(
        figure,
        alt=f"Scale, kernel norm and residual ratio over training, relative to their start. {ends}.",
        caption=(
            f"Scales, kernels and branches of v1 with TRSF and PReLU over training, one line per seed. "
            f"{ends}. Scales are mean magnitudes over modules, ratios arithmetic means, kernel norms "
            "geometric means."
        ),
    )


def _ends(tables: Sequence[pd.DataFrame]) -> str:
    """Return a clause with the factors at the end."""
    scale, kernel, ratio = geometric_mean([course.iloc[-1] for course in tables], axis=0)
    return f"scales are {scale:.2g}, kernels {kernel:.2g} and branches {ratio:.2g} times the start"


def answer_lines(found: Analysis) -> list[str]:
    """Return a line for each question of the studies with measured effects: the answer and the effects."""
    return lines_of(found.length_answers, _QUESTIONS)


def questions(found: Analysis) -> Markdown:
    """Tabulate the questions of the studies with their rules, the measured effects and the answers."""
    name, caption = "table-length-questions", "Questions of the studies"
    return answers_table(found.length_answers, _QUESTIONS, name, caption) or Markdown(_NOTHING)


def ends_table(found: Analysis) -> Markdown:
    """Tabulate scales, kernels and branches before and after long training, as means over seeds."""
    runs = found.length
    if runs.empty:
        return Markdown(_NOTHING)
    groups = {
        (study, variant): select(runs, study, variant)
        for study in _STUDIES
        for variant in dict.fromkeys(runs["variant"])
    }
    rows = [
        _row(short_name(variant), _STUDIES[study], group)
        for (study, variant), group in groups.items()
        if len(group)
    ]
    header = (
        "Variant",
        "Decay",
        "Mean |s|",
        "Signed mean",
        "‖W‖",
        "Ratio, arithmetic mean",
        "Geometric mean",
        "Median",
        "Negative slopes",
        "TAR at FAR 1e-3",
        "Seeds",
    )
    caption = (
        "Scales, kernels and branches before and after long training: means over seeds. ‖W‖ is the geometric "
        "mean of the norms of the kernels that the scales multiply; the ratio is ‖branch‖ / ‖trunk‖."
    )
    return Markdown(captioned(caption, "table-length-ends", table(header, rows)))


def _row(variant: str, decay: str, runs: pd.DataFrame) -> tuple[str, ...]:
    means = runs.mean(numeric_only=True)
    slopes = means["negative_slopes"]
    return (
        variant,
        decay,
        *(_from_to(means, name) for name in ("scale", "signed_scale", "kernel", *RATIOS)),
        "–" if pd.isna(slopes) else percent(slopes),
        percent(means["tar"]),
        str(len(runs)),
    )


def _from_to(means: pd.Series, name: str) -> str:
    if pd.isna(means[name]):
        return "–"
    return f"{means[f'{name}_start']:.2g} → {means[name]:.2g}".replace("-", "−")
