"""Gains in log odds, which can be compared between tracks, budgets and the paper."""

from __future__ import annotations

from trsfnet.analysis import Analysis
from trsfnet.analysis.log_odds import TAR_LOG_ODDS, Gain, gains_in_log_odds, level
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import campaign_name
from trsfnet.text import percent


def gains(found: Analysis) -> Markdown:
    """Tabulate the gains in TAR as differences of log odds, with the smallest that could be detected."""
    columns = {campaign: gains_in_log_odds(campaign) for campaign in found.campaigns}
    columns = {c: of for c, of in columns.items() if any(gain.effect for gain in of.values())}
    shown = [c for c in found.campaigns_on(next(iter(columns.values()), {})) if c in columns]
    if not shown:
        return Markdown("No claim on a gain has two seeds of each of its variants yet.")
    header = ["Claim", "Paper"]
    for campaign in shown:
        mean = level(campaign)
        header.append(campaign_name(campaign) + ("" if mean is None else f" (mean TAR {percent(mean)})"))
    rows = [
        (
            claims_by_id()[claim].statement,
            published(gain),
            *(ours(columns[c][claim]) + _detectable(columns[c][claim]) for c in shown),
        )
        for claim, gain in columns[shown[0]].items()
    ]
    caption = (
        "Gains in TAR as differences of log odds, with 95 % intervals and the minimum detectable gain. "
        "A value of 1 multiplies the odds by e. Points cannot be compared between levels of accuracy; "
        "these numbers can."
    )
    return Markdown(captioned(caption, "gains-in-log-odds", table(header, rows)))


def published(gain: Gain) -> str:
    """Return the paper's gain, such as `+0.24`; a dash if it gives none."""
    return "–" if gain.published is None else TAR_LOG_ODDS.difference.text(gain.published)


def ours(gain: Gain) -> str:
    """Return our gain with its interval, such as `+0.02 (−0.03 to +0.06)`; a dash without two seeds."""
    if gain.effect is None:
        return "–"
    interval = gain.effect.interval
    return TAR_LOG_ODDS.difference.interval(gain.effect.estimate, interval.low, interval.high)


def _detectable(gain: Gain) -> str:
    if not gain.minimum_detectable:
        return ""
    return f"; detectable {TAR_LOG_ODDS.unit.text(gain.minimum_detectable)}"
