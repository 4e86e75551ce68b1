"""Figures of the page on the claims: how many have which verdict, and how far each is from its bound."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trsfnet.paper.claims import Claim, paper_claims
from trsfnet.report import style
from trsfnet.report.claims.judged import Judged, by_subject, telling
from trsfnet.report.claims.margins import Margin, margins_of
from trsfnet.report.claims.tables import WORDS, short
from trsfnet.report.display import Exhibit, Markdown, exhibit
from trsfnet.report.figures import legend_below
from trsfnet.report.names import counted, listed
from trsfnet.report.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED

# Colour and marker of each verdict, apart in lightness and in shape as well.
VERDICT_LOOKS = {
    SUPPORTED: (style.POSITIVE, "o"),
    CONTRADICTED: (style.NEGATIVE, "X"),
    INCONCLUSIVE: ("#8c8f94", "s"),
    NOT_RUN: ("none", ""),
}
WIDEST = 2.0
# So thin that the page's ink can be read on it, in light and in dark.
_FILL = 0.5


def counts(groups: Sequence[Judged]) -> Exhibit | Markdown:
    """How many claims on each subject have which verdict, by group of runs."""
    shown = telling(groups, paper_claims())
    if not shown:
        return Markdown("No run has ended, so that there are no verdicts to count.")
    subjects = by_subject()
    with style.applied():
        figure, axes = plt.subplots(
            1, len(shown), figsize=(style.FIGURE_WIDTH, 3.6), sharey=True, squeeze=False
        )
        for panel, group in zip(axes[0], shown, strict=True):
            _bars(panel, group, subjects)
        axes[0][0].set_yticks(range(len(subjects)), list(subjects))
        axes[0][0].invert_yaxis()
        legend_below(figure, axes[0][0])
    totals = [f"{group.plain_label}: {_in_words(group)}" for group in shown]
    caption = f"Verdicts on the paper's {len(paper_claims())} claims. {'. '.join(totals)}."
    alt = f"Bars of verdicts by subject, a panel for each group of runs. {'. '.join(totals)}."
    return exhibit(figure, alt=alt, caption=caption)


def _bars(panel: Axes, group: Judged, subjects: dict[str, list[Claim]]) -> None:
    words = [group.words(claims) for claims in subjects.values()]
    left = [0] * len(words)
    for word in WORDS:
        colour, _ = VERDICT_LOOKS[word]
        numbers = [count[word] for count in words]
        bars = panel.barh(range(len(words)), numbers, left=left, color=colour, alpha=_FILL, label=word)
        for bar in bars:
            bar.set(edgecolor=style.INK, linewidth=0.6)
        panel.bar_label(bars, labels=[str(n) if n else "" for n in numbers], label_type="center", fontsize=8)
        left = [a + b for a, b in zip(left, numbers, strict=True)]
    panel.set(title=group.plain_label, xlabel="Claims")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(False)


def _in_words(group: Judged) -> str:
    words = group.words(paper_claims())
    return listed([f"{words[word]} {word}" for word in WORDS if words[word]])


def forest(groups: Sequence[Judged]) -> Exhibit | Markdown:
    """How far each tested claim's weakest comparison is from the claim's bound.

    The unit is the smallest distance that the design could have seen, so that claims in different units
    stand on one axis.
    """
    found = {group: rows for group in telling(groups, paper_claims()) if (rows := margins_of(group))}
    if not found:
        return Markdown(
            "No claim can be tested yet: it takes three finished seeds of each of its settings. This figure "
            "then shows how far each is from its bound."
        )
    tested = {row.claim.id for rows in found.values() for row in rows}
    claims = [claim for on in by_subject().values() for claim in on if claim.id in tested]
    with style.applied():
        height = 1.6 + 0.24 * len(claims)
        figure, axes = plt.subplots(
            1, len(found), figsize=(style.FIGURE_WIDTH, height), sharey=True, squeeze=False
        )
        for panel, (group, rows) in zip(axes[0], found.items(), strict=True):
            _points(panel, claims, rows)
            panel.set(title=group.plain_label, xlabel="← against · for →")
        axes[0][0].set_yticks(range(len(claims)), [short(claim) for claim in claims])
        axes[0][0].set_ylim(len(claims) - 0.5, -0.5)
        legend_below(figure, axes[0][0])
    findings = [f"{group.plain_label}: {_finding(rows)}" for group, rows in found.items()]
    caption = (
        "How far the weakest comparison of each claim lies from the claim's bound, with its 95 % interval. "
        "At 1 is the smallest effect that the seeds and their spread could have shown; arrows lie "
        f"beyond {WIDEST:.0f}. {'. '.join(findings)}."
    )
    return exhibit(figure, alt=f"A row for each claim, a point with its interval. {caption}", caption=caption)


def _finding(rows: list[Margin]) -> str:
    against = sum(row.margin < 0 for row in rows)
    within = sum(abs(row.margin) < 1 for row in rows)
    return (
        f"{counted(len(rows), 'claim')} tested, {against} of them on the side against the claim, {within} "
        "nearer to the bound than could be seen"
    )


def _points(panel: Axes, claims: Sequence[Claim], rows: list[Margin]) -> None:
    places = {claim.id: i for i, claim in enumerate(claims)}
    panel.axvline(0, color=style.INK, linewidth=0.8)
    for edge in (-1, 1):
        panel.axvline(edge, color=style.INK, linewidth=0.8, linestyle=":")
    for word in (SUPPORTED, CONTRADICTED, INCONCLUSIVE):
        colour, marker = VERDICT_LOOKS[word]
        of_word = [row for row in rows if row.word == word]
        inside = [row for row in of_word if abs(row.margin) <= WIDEST]
        for row in of_word:
            ends = [max(-WIDEST, min(WIDEST, end)) for end in (row.low, row.high)]
            panel.plot(ends, [places[row.claim.id]] * 2, color=colour, linewidth=1.6)
        panel.plot(
            [row.margin for row in inside],
            [places[row.claim.id] for row in inside],
            marker,
            color=colour,
            markersize=6,
            label=word,
        )
        for row in of_word:
            if abs(row.margin) > WIDEST:
                edge, arrow = (WIDEST, ">") if row.margin > 0 else (-WIDEST, "<")
                panel.plot(edge, places[row.claim.id], arrow, color=colour)
    panel.set_xlim(-1.1 * WIDEST, 1.1 * WIDEST)
    panel.grid(True, axis="y", alpha=0.12)
    panel.grid(False, axis="x")
