"""Pages of the studies on collapse, on width and on the length of training: their runs and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.held_out import OUTCOMES, held_out_course
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.fewer_collapses import FewerCollapses
from trsfnet.analysis.run import Run, ended_as_planned
from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.studies import STUDIES, planned_configs
from trsfnet.experiments.variants import short_name, variant_of
from trsfnet.models.inception_resnet import PAPER_SCALE
from trsfnet.report.claims.tables import claim_link
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import TRACKS
from trsfnet.text import capitalised, counted, joined, percent


def about(found: Analysis, study: str) -> Markdown:
    """State what a study asks, its runs, and how many of them have ended.

    Args:
        found: all runs.
        study: name of the study, such as `collapse`; it is also that of its budget.
    """
    planned = planned_configs(study, STUDIES[study].track)
    ended, seeds = len(ended_as_planned(found.runs, study)), sorted({config.seed for config in planned})
    variants = list(dict.fromkeys(config.variant for config in planned))
    rates = sorted({config.learning_rate for config in planned})
    text = (
        f"{BUDGETS[study]['about']} The study consists of {counted(len(planned), 'run')} on "
        f"{TRACKS[STUDIES[study].track]}: {'; '.join(map(short_name, variants))}. {_scales(variants)}"
        f"Training starts from the learning {'rate' if len(rates) == 1 else 'rates'} "
        f"{joined([f'{rate:g}' for rate in rates])}, with the seeds {seeds[0]} to {seeds[-1]}."
    )
    return Markdown(f"{text} **{_progress(ended, len(planned))}** `make runs STUDY={study}` trains them.")


def _scales(variants: Sequence[str]) -> str:
    """Explain the names of variants with unusual scales, with a trailing space; empty without any."""
    other = [found for key in variants if (found := variant_of(key)).scale_init is not None]
    parts = [f"“Scale {found.scale_init:g}” is a constant scale" for found in other if not found.trsf][:1]
    trained = [f"“TRSF from {found.scale_init:g}” from {found.scale_init:g}" for found in other if found.trsf]
    if trained:
        parts.append(f"“TRSF” is trained from {PAPER_SCALE:g}, {joined(list(dict.fromkeys(trained)))}")
    return f"{'; '.join(parts)}. " if parts else ""


def _progress(ended: int, planned: int) -> str:
    if not ended:
        return "None has ended yet."
    return f"All {planned} have ended." if ended == planned else f"{ended} of {planned} have ended."


def outcomes(found: Analysis, *studies: str) -> Markdown:
    """Tabulate the loss on held-out images by variant and learning rate, with the number of collapses.

    Args:
        found: all runs.
        studies: names of studies at the same learning rates; several must differ in width.
    """
    planned = [
        (study, config) for study in studies for config in planned_configs(study, STUDIES[study].track)
    ]
    rates = sorted({config.learning_rate for _, config in planned})
    cells: dict[tuple[str, str, float], list[Run]] = {}
    for study in studies:
        for run in ended_as_planned(found.runs, study):
            cells.setdefault((study, run.variant, run.learning_rate), []).append(run)
    widths = {(config.variant, study): Fraction(config.width) for study, config in planned}
    variants = list(dict.fromkeys(config.variant for _, config in planned))
    rows = [
        (
            short_name(variant),
            *([str(widths[variant, study])] if len(studies) > 1 else []),
            *(_cell(cells.get((study, variant, rate), [])) for rate in rates),
        )
        for variant, study in sorted(widths, key=lambda row: variants.index(row[0]))
    ]
    caption = (
        "Loss on held-out images of the training people at the end / on average over training, as a share of "
        "chance level (100 % is no better than chance): means over seeds."
    )
    width_column = ["Width"] if len(studies) > 1 else []
    header = ("Variant", *width_column, *(f"Rate {rate:g}" for rate in rates))
    return Markdown(captioned(caption, f"table-{studies[0]}", table(header, rows)))


def _cell(runs: Sequence[Run]) -> str:
    courses = [course for run in runs if (course := held_out_course(run)) is not None]
    if not courses:
        return "not run"
    means = [percent(float(np.mean([of(course) for course in courses]))) for of in OUTCOMES.values()]
    collapsed = sum(run.collapsed for run in runs)
    lost = f", {collapsed} collapsed" if collapsed else ""
    return f"{' / '.join(means)} ({counted(len(runs), 'seed')}{lost})"


def verdicts(found: Analysis, study: str) -> Markdown:
    """List the claims on stability whose variants a study trains, with the verdict of its runs.

    The claims speak of collapse. The study must have held-out images; its runs are compared by how far they
    train, so that is what is stated.
    """
    campaign = next((one for one in found.campaigns if one.budget == study), None)
    trained = {config.variant for config in planned_configs(study, STUDIES[study].track)}
    rules = {c: rule for c, rule in paper_rules().items() if isinstance(rule, FewerCollapses)}
    return Markdown(
        "\n".join(
            _verdict(claim, rule, campaign)
            for claim, rule in rules.items()
            if trained.issuperset(rule.variants)
        )
    )


def _verdict(claim: str, rule: FewerCollapses, campaign: Campaign | None) -> str:
    further, less = (joined([short_name(variant) for variant in side]) for side in (rule.of, rule.than))
    trains = "trains" if len(rule.of) == 1 else "train"
    statement = f"- {further} {trains} further than {less} ({claim_link(claim)})."
    if campaign is None:
        return f"{statement} **Not run.**"
    found = campaign.verdicts[claim]
    numbers = "; ".join(f"{each.name}: {rule.estimate(each)}" for each in found.measured)
    numbers = f" {capitalised(numbers)}." if numbers else ""
    return f"{statement} **{found.outcome.capitalize()}.**{numbers} {found.explanation}"
