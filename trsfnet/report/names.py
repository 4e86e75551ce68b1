"""Names of tracks, variants, measures and campaigns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.quantities import Quantity
from trsfnet.analysis.reach import decay_budget_in_words, ranges_in_words
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.tables import TableRuns
from trsfnet.evaluation.names import far_name
from trsfnet.evaluation.verification import ALL_PAIRS_FARS
from trsfnet.experiments.variants import variant_of
from trsfnet.paper.numbers import paper_table
from trsfnet.text import joined

TRACKS = {
    "synthetic": "rendered faces",
    "lfw": "Labeled Faces in the Wild",
    "paper": "VGGFace2 or MS1MV2, verified on LFW",
}

# Names of tracks where space is short, as in headers and titles of panels.
_SHORT_TRACKS = {**TRACKS, "lfw": "LFW", "paper": "the paper's data"}

_PAIRS = {
    "tar": "ten folds",
    "tar_by_person": "mean over people",
    "all_pairs_tar": "all pairs",
}
# Names for headers and axes, by metric.
_HEADERS = {
    f"{share}@{far_name(far)}": f"TAR@FAR={far_name(far)}, {pairs}"
    for share, pairs in _PAIRS.items()
    for far in ALL_PAIRS_FARS
}
# On LFW, this metric forms all pairs.
_OF_LFW = {f"tar@{far_name(far)}": f"TAR@FAR={far_name(far)}, all pairs" for far in ALL_PAIRS_FARS}

_SHARES = {
    "tar": "TAR",
    "tar_by_person": "TAR, mean over people",
    "all_pairs_tar": "TAR, all pairs",
}
_IN_WORDS = {"accuracy": "Accuracy"} | {
    f"{share}@{far_name(far)}": f"{words} at FAR {far_name(far)}"
    for share, words in _SHARES.items()
    for far in ALL_PAIRS_FARS
}


def measure_header(measure: str, track: str) -> str:
    """Return a measure's name for headers and axes, such as `TAR@FAR=1e-3, all pairs`.

    Args:
        measure: name of the metric, such as `all_pairs_tar@1e-3`.
        track: name of the track; the metric `tar` forms all pairs on LFW and ten folds elsewhere.
    """
    return _OF_LFW.get(measure, _HEADERS[measure]) if track == "lfw" else _HEADERS[measure]


def row_name(number: int, variant: str, *, short: bool = False) -> str:
    """Return the name of a variant's row in the paper's table `number`; in table 6, the initial slope."""
    if number == 6:
        starts = {key: start for start, key in paper_table(6).variants.items()}
        return starts[variant].replace("-", "−")
    # The caption of table 3 already states that the loss is ArcFace.
    name = variant_of(variant).network_name
    return name if short or number in (4, 5) else f"Inception-ResNet {name}"


def at_rates(rates: Iterable[float]) -> str:
    """Return how often each learning rate occurs, such as `1 at the learning rate 0.1 and 4 at 0.2`.

    If there is only one, it is `all at the learning rate 0.2`.
    """
    numbers = sorted(Counter(rates).items())
    if len(numbers) == 1:
        ((rate, number),) = numbers
        return f"{'all ' if number > 1 else ''}at the learning rate {rate:g}"
    first, *others = numbers
    text = [f"{first[1]} at the learning rate {first[0]:g}"]
    return joined([*text, *(f"{number} at {rate:g}" for rate, number in others)])


def campaign_name(campaign: Campaign) -> str:
    """Return the name of a campaign, such as `rendered faces, short budget`."""
    return name_of_campaign(
        campaign.track, f"{campaign.budget} budget" if campaign.budget else campaign.size_name
    )


def name_of_campaign(track: str, size: str) -> str:
    """Return the name of a campaign from the names of its track and its size."""
    return f"{short_track(track)}, {size}"


def short_track(track: str) -> str:
    """Return the short name of a track, such as `LFW`."""
    return _SHORT_TRACKS.get(track, track)


def budget_in_words(of: TableRuns) -> str:
    """Return the budget of a table's runs, such as `budget short: decay budget 0.39, travel 388`."""
    found = of.regime
    lengths = f": decay budget {decay_budget_in_words(found)}, travel {found.travel:,.0f}" if found else ""
    return f"budget {of.budget}{lengths}"


def schedules_in_words(claim: str, campaign: Campaign) -> str:
    """Return decay budget and travel of the runs that decide a claim that depends on them.

    Returns:
        Text such as `decay budget 12.4, travel 388`, with ranges if schedules differ; empty for claims that
        do not depend on the schedule, and for those that are not run.
    """
    if campaign.verdicts[claim].outcome == Outcome.NOT_RUN or not paper_rules()[claim].moves_with_schedule:
        return ""
    budget, travel = ranges_in_words(campaign.schedules(claim))
    return f"decay budget {budget}, travel {travel}"


def runs_in_words(of: TableRuns) -> str:
    """Return the track and the budget of a table's runs, such as `rendered faces, full budget`."""
    return name_of_campaign(of.track, f"{of.budget} budget") if of.budget else TRACKS[of.track]


def measure_name(name: str) -> str:
    """Return a measure's name in words: `TAR, mean over people at FAR 1e-3` for `tar_by_person@1e-3`."""
    return _IN_WORDS.get(name, name)


def effect_in_words(effect: Effect, quantity: Quantity) -> str:
    """Return a difference in a quantity with its interval, such as `+1.2 points (−0.3 to +2.7)`."""
    interval = effect.interval
    return quantity.difference.interval(interval.value, interval.low, interval.high)
