"""A table that tells the effect of TRSF's initial value from that of training the scales."""

from __future__ import annotations

from trsfnet.analysis import Analysis
from trsfnet.analysis.controls import divided_gains
from trsfnet.experiments.variants import short_name
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import campaign_name, tar_difference
from trsfnet.text import capitalised


def start_and_training(found: Analysis) -> Markdown:
    """Tabulate what the start at 0.1 and what training the scales add to the accuracy, by network."""
    rows = [
        (
            capitalised(campaign_name(campaign)),
            short_name(gain.original.key),
            *(tar_difference(effect) for effect in (gain.start, gain.training, gain.total)),
            str(gain.seeds),
        )
        for campaign in found.campaigns
        for gain in divided_gains(campaign)
    ]
    if not rows:
        return Markdown("No two runs of a control have ended yet. `make runs STUDY=control` trains them.")
    header = (
        "Runs",
        "Network",
        "Start: constant 0.1 − original",
        "Training: TRSF − constant 0.1",
        "Both: TRSF − original",
        "Seeds",
    )
    caption = (
        "Differences in TAR at FAR 1e-3, by the measure of each track, with 95 % intervals for each "
        "comparison alone. The first two columns add up to the third."
    )
    return Markdown(captioned(caption, "start-and-training", table(header, rows)))
