"""Figures of the page on the claims: counts of verdicts, and the distance of each claim from its bound."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trsfnet.analysis import Analysis
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.margins import Margin, leans_against, margins, tested
from trsfnet.analysis.rules import paper_rules
from trsfnet.paper.claims import Claim
from trsfnet.report import style
from trsfnet.report.claims.subjects import by_subject
from trsfnet.report.display import Markdown, Picture, picture
from trsfnet.report.figures import legend_below
from trsfnet.report.names import campaign_name
from trsfnet.text import capitalised, counted, joined

# Colour and marker of each outcome; the colours also differ in lightness.
OUTCOME_LOOKS = {
    Outcome.SUPPORTED: (style.POSITIVE, "o"),
    Outcome.CONTRADICTED: (style.NEGATIVE, "X"),
    Outcome.INCONCLUSIVE: ("#8c8f94", "s"),
    Outcome.OUT_OF_REACH: ("none", ""),
    Outcome.NOT_RUN: ("none", ""),
}
WIDEST = 2.0
# Hatching of an outcome whose fill is that of another.
_HATCHES = {Outcome.OUT_OF_REACH: "////"}
# Opacity of the bars, low enough for the page's text colour to be readable on them in light and dark mode.
_FILL = 0.5
# Least width of a bar in inches that leaves room for its number.
_LEGIBLE = 0.13


def outcomes(found: Analysis) -> Picture | Markdown:
    """Plot the number of claims with each verdict, by subject and campaign."""
    shown = found.campaigns_on(paper_rules())
    if not shown:
        return Markdown("No run has ended, so there are no verdicts to count.")
    subjects = by_subject()
    with style.panels(1, len(shown), 3.6, sharey=True) as (figure, (axes,)):
        seen = {verdict.outcome for campaign in shown for verdict in campaign.verdicts.values()}
        colours = {outcome: colour for outcome, (colour, _) in OUTCOME_LOOKS.items() if outcome in seen}
        for panel, campaign in zip(axes, shown, strict=True):
            _bars(panel, campaign, subjects, colours)
        axes[0].set_yticks(range(len(subjects)), list(subjects))
        axes[0].invert_yaxis()
        legend_below(figure, axes[0])
    totals = ". ".join(f"{capitalised(campaign_name(each))}: {_in_words(each)}" for each in shown)
    caption = (
        f"Verdicts on the paper's {len(paper_rules())} claims. A claim is “{Outcome.NOT_RUN}” where the "
        f"runs cannot test it. {totals}."
    )
    alt = f"Bars of verdicts by subject, a panel for each group of runs. {totals}."
    return picture(figure, alt=alt, caption=caption)


def _bars(
    panel: Axes, campaign: Campaign, subjects: Mapping[str, Sequence[Claim]], colours: Mapping[Outcome, str]
) -> None:
    counts = [campaign.count(claim.id for claim in claims) for claims in subjects.values()]
    left = [0] * len(counts)
    # Numbers of claims by outcome, with the drawn bars.
    drawn = []
    for outcome, colour in colours.items():
        numbers = [count[outcome] for count in counts]
        bars = panel.barh(
            range(len(counts)), numbers, left=left, color=colour, alpha=_FILL, label=str(outcome)
        )
        for bar in bars:
            bar.set(edgecolor=style.INK, linewidth=0.6, hatch=_HATCHES.get(outcome, ""))
        drawn.append((bars, numbers))
        left = [a + b for a, b in zip(left, numbers, strict=True)]
    # Width of one claim in inches.
    width = panel.get_window_extent().width / panel.figure.dpi / panel.get_xlim()[1]
    for bars, numbers in drawn:
        labels = [str(n) if n * width > _LEGIBLE else "" for n in numbers]
        panel.bar_label(bars, labels=labels, label_type="center", fontsize=8)
    panel.set_title(_title(campaign), fontsize=10)
    panel.set(xlabel="Claims")
    panel.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    panel.grid(False)


def _title(campaign: Campaign) -> str:
    """Return the name of a campaign on two lines, which fits above a narrow panel."""
    return campaign_name(campaign).replace(", ", ",\n", 1)


def _in_words(campaign: Campaign) -> str:
    counts = campaign.count(paper_rules())
    verdicts = joined([f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]])
    return f"{verdicts}; {counted(len(tested(campaign)), 'claim')} tested statistically"


def forest(found: Analysis) -> Picture | Markdown:
    """Plot the distance of each tested claim's weakest comparison from the claim's bound.

    The unit is the minimum detectable effect, so that claims in different units share one axis.
    """
    shown = {c: of_claims for c in found.campaigns_on(paper_rules()) if (of_claims := margins(c))}
    if not shown:
        return Markdown(
            "No claim can be tested yet: a claim needs three finished seeds of each of its variants. This "
            "figure will then show how far each claim is from its bound."
        )
    drawn = {claim for of_claims in shown.values() for claim in of_claims}
    seen = {margin.outcome for of_claims in shown.values() for margin in of_claims.values()}
    claims = [claim for on in by_subject().values() for claim in on if claim.id in drawn]
    with style.panels(1, len(shown), 1.6 + 0.24 * len(claims), sharey=True) as (figure, (axes,)):
        for panel, (campaign, of_claims) in zip(axes, shown.items(), strict=True):
            _points(panel, claims, of_claims, seen)
            panel.set_title(_title(campaign), fontsize=10)
            panel.set_xlabel("← against · for →", fontsize=9)
        axes[0].set_yticks(range(len(claims)), [claim.title for claim in claims])
        axes[0].set_ylim(len(claims) - 0.5, -0.5)
        legend_below(figure, axes[0])
    findings = ". ".join(
        f"{capitalised(campaign_name(campaign))}: {_finding(campaign, of_claims)}"
        for campaign, of_claims in shown.items()
    )
    caption = (
        "Distance of the weakest comparison of each claim from the claim's bound, with its 95 % interval. "
        "A distance of 1 is the minimum detectable effect for these seeds and their spread; arrows lie "
        f"beyond {WIDEST:.0f}. A tested claim without such an effect is not drawn. {findings}."
    )
    return picture(figure, alt=f"A row for each claim, a point with its interval. {caption}", caption=caption)


def _finding(campaign: Campaign, drawn: Mapping[str, Margin]) -> str:
    claims = tested(campaign)
    against = sum(leans_against(claim, campaign) for claim in claims)
    within = sum(abs(margin.margin) < 1 for margin in drawn.values())
    return (
        f"{counted(len(claims), 'claim')} tested, {against} of them on the contradicting side; {len(drawn)} "
        f"drawn, {within} of them closer to the bound than the minimum detectable effect"
    )


def _points(
    panel: Axes, claims: Sequence[Claim], found: Mapping[str, Margin], outcomes: Collection[Outcome]
) -> None:
    """Draw the margins of the claims.

    Args:
        panel: the panel.
        claims: the claims, from top to bottom.
        found: their margins in the panel's campaign.
        outcomes: the outcomes that the legend explains.
    """
    rows = [(y, found[claim.id]) for y, claim in enumerate(claims) if claim.id in found]
    panel.axvline(0, color=style.INK, linewidth=0.8)
    for edge in (-1, 1):
        panel.axvline(edge, color=style.INK, linewidth=0.8, linestyle=":")
    for outcome, (colour, marker) in OUTCOME_LOOKS.items():
        here = [(y, margin) for y, margin in rows if margin.outcome == outcome]
        for y, margin in here:
            ends = [max(-WIDEST, min(WIDEST, end)) for end in (margin.low, margin.high)]
            panel.plot(ends, [y, y], color=colour, linewidth=1.6)
            if abs(margin.margin) > WIDEST:
                end, arrow = (WIDEST, ">") if margin.margin > 0 else (-WIDEST, "<")
                panel.plot(end, y, arrow, color=colour)
        if outcome in outcomes:
            inside = [(margin.margin, y) for y, margin in here if abs(margin.margin) <= WIDEST]
            xs, ys = [x for x, _ in inside], [y for _, y in inside]
            panel.plot(xs, ys, marker, color=colour, markersize=6, label=str(outcome))
    panel.set_xlim(-1.1 * WIDEST, 1.1 * WIDEST)
    panel.grid(True, axis="y", alpha=0.12)
    panel.grid(False, axis="x")
