"""A table that tells the effect of TRSF's initial value from that of training the scales."""

from __future__ import annotations

from collections.abc import Mapping

from trsfnet.analysis import Analysis
from trsfnet.analysis.averages import MEANS
from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.controls import divided_gains
from trsfnet.analysis.quantities import QUANTITIES, Quantity
from trsfnet.experiments.variants import short_name
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import campaign_name, effect_in_words
from trsfnet.text import capitalised, joined


def start_and_training(found: Analysis) -> Markdown:
    """Tabulate what the start at 0.1 and what training the scales add to the accuracy, by network."""
    rows = _rows(found, {"TAR at FAR 1e-3": QUANTITIES["tar"]})
    if not rows:
        return Markdown("No two runs of a control have ended yet. `make runs STUDY=control` trains them.")
    caption = (
        "Differences in TAR at FAR 1e-3, by the measure of each track and budget, with 95 % intervals for "
        "each comparison alone. The first two columns of differences add up to the third."
    )
    return Markdown(captioned(caption, "start-and-training", table(_header("−"), rows)))


def start_and_training_of_branches(found: Analysis) -> Markdown | None:
    """Tabulate what the start and what training multiply the role of the branches by; None without runs."""
    quantities = [QUANTITIES[f"ratio_{mean}"] for mean in MEANS]
    means = {quantity.label: quantity for quantity in quantities}
    rows = _rows(found, means)
    if not rows:
        return None
    caption = (
        "Factors between the final residual ratios, ‖branch‖ / ‖trunk‖, by each mean over modules, with 95 % "
        "intervals for each comparison alone. The first two columns of factors multiply to the third. The "
        "errors are pooled as for the claims, so the intervals differ from those of the first table."
    )
    return Markdown(captioned(caption, "start-and-training-branches", table(_header("/"), rows)))


def training_alone(found: Analysis, arch: str) -> Markdown | None:
    """List what training the scales adds to the accuracy of a version; None without a control."""
    lines = [
        f"- {capitalised(campaign_name(campaign))}: {said}"
        for campaign in found.campaigns
        if (said := gain_by_training(campaign, arch))
    ]
    return Markdown("\n".join(lines)) if lines else None


def gain_by_training(runs: ComparableRuns, arch: str) -> str:
    """State how accuracy differs between TRSF and constants that are 0.1 in all modules, as TRSF's start.

    Args:
        runs: the runs of one campaign.
        arch: the version, `v1` or `v2`.

    Returns:
        A sentence; empty without a control of this version.
    """
    tar = QUANTITIES["tar"]
    differences = [
        f"{effect_in_words(gain.training, tar)} for {short_name(gain.original.key)}"
        for gain in divided_gains(runs, tar)
        if gain.original.arch == arch
    ]
    if not differences:
        return ""
    return (
        "against the constant 0.1 in all modules, the value from which TRSF starts, TRSF changes TAR at FAR "
        f"1e-3 by {joined(differences)}."
    )


def _header(sign: str) -> tuple[str, ...]:
    return (
        "Runs",
        "Network",
        "Measure",
        f"Start: constant 0.1 {sign} original",
        f"Training: TRSF {sign} constant 0.1",
        f"Both: TRSF {sign} original",
        "Seeds",
    )


def _rows(found: Analysis, quantities: Mapping[str, Quantity]) -> list[tuple[str, ...]]:
    return [
        (
            capitalised(campaign_name(campaign)),
            short_name(gain.original.key),
            name,
            *(effect_in_words(effect, quantity) for effect in (gain.start, gain.training, gain.total)),
            str(gain.seeds),
        )
        for campaign in found.campaigns
        for name, quantity in quantities.items()
        for gain in divided_gains(campaign, quantity)
    ]
