"""Whether width makes training fail: the studies `width` and `width-narrow`.

Both train v1 on rendered faces with the constants 0.1 and 1, and `width` also with scales trained from these
values. They differ only in width: `width` has the paper's, with a trunk of up to 1,792 channels, and
`width-narrow` an eighth of it. Their questions are:

- `wide-1`, `wide-0.1`: with the constant 1, or 0.1, is the loss higher at full width than at an eighth?
- `constant`: at full width, is the loss higher with the constant 1 than with 0.1?
- `penalty`: is the factor of the loss with the constant 1 over that with 0.1 larger at full width than at an
  eighth?
- `trained-0.1`, `trained-1`: at full width, does a scale trained from 0.1, or from 1, lower the loss below
  that with the constant 1?

Width impairs training, as reference 9 of the paper reports, if `wide-1` is answered with yes. A small scale
then reduces the effect of width if `constant` and `penalty` are answered with yes, and prevents it if
`wide-0.1` is answered with no.

The loss is that on held-out images of the training people over chance level, at the end and on average over
training (`trsfnet.analysis.held_out`). It is at most 1, and 1 in the epochs that a collapsed run did not
reach. All effects are factors between two losses, paired by learning rate and seed: means of the logarithm
over all pairs at all learning rates, with Student's 95 % interval. A pair of which a run is missing is left
out. A question is answered if the intervals of both outcomes lie on the same side of 1; it stays undecided
otherwise, and with fewer than three different seeds. The intervals are not adjusted for the number of
questions.

Pairs at different learning rates count separately even if they share a seed, as in the study on collapse: in
the stability study, the differences between two variants with the same seed at rates from 0.05 to 0.15 are
not positively correlated.

Facenet's constants lie between 0.1 and 0.2, and the constant 0.3 between those tested; no question needs
them.

These rules were fixed before any run of the two studies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from trsfnet.analysis.held_out import OUTCOMES, held_out_course
from trsfnet.analysis.mechanism import Answer, answer_from, factor
from trsfnet.analysis.run import Run, ended_as_planned
from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.studies import STUDIES, planned_configs
from trsfnet.experiments.variants import variant_of

WIDE, NARROW = "width", "width-narrow"
SMALL, LARGE = "v1-scale0.1-relu", "v1-scale1-relu"
TRAINED_FROM_SMALL, TRAINED_FROM_LARGE = "v1-trsf-relu", "v1-trsf-from1-relu"

_PAIR = ["learning_rate", "seed"]


def width_runs(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a table with one row per planned run of the two studies that has ended.

    Returns:
        A table with the columns `study`, `variant`, `learning_rate`, `seed`, `trained` (True if the scales
        are trained), `collapsed` and, for each of `OUTCOMES`, the loss over chance level, in 0..1.
    """
    known = list(runs)
    rows = [
        {
            "study": study,
            "variant": run.variant,
            "learning_rate": run.learning_rate,
            "seed": run.seed,
            "trained": variant_of(run.variant).trsf,
            "collapsed": run.collapsed,
        }
        | {name: measure(course) for name, measure in OUTCOMES.items()}
        for study in (WIDE, NARROW)
        for run in ended_as_planned(known, study)
        if (course := held_out_course(run)) is not None
    ]
    return pd.DataFrame(rows, columns=["study", "variant", *_PAIR, "trained", "collapsed", *OUTCOMES])


def complete(runs: pd.DataFrame) -> bool:
    """Return whether all planned runs of both studies are in the table of `width_runs`."""
    return len(runs) == sum(len(planned_configs(study, STUDIES[study].track)) for study in (WIDE, NARROW))


@dataclass(frozen=True, eq=False)
class Pairs:
    """What a question compares: two losses, or two factors between losses, for each learning rate and seed.

    Attributes:
        first: the outcomes that the second are divided by; a row per learning rate and seed.
        second: the other outcomes, likewise.
    """

    first: pd.DataFrame
    second: pd.DataFrame

    @property
    def complete(self) -> list[tuple[float, int]]:
        """Learning rate and seed of each pair of which all runs have ended."""
        return sorted(self.first.dropna().index.intersection(self.second.dropna().index))

    @property
    def left_out(self) -> list[tuple[float, int]]:
        """Learning rate and seed of each pair of which some runs have ended, but not all."""
        return sorted(self.first.index.union(self.second.index).difference(self.complete))


def pairs(runs: pd.DataFrame) -> dict[str, Pairs]:
    """Return what each question compares, given the table of `width_runs`, in order."""
    small, large, from_small, from_large = (
        _losses(runs, WIDE, variant) for variant in (SMALL, LARGE, TRAINED_FROM_SMALL, TRAINED_FROM_LARGE)
    )
    narrow_small, narrow_large = (_losses(runs, NARROW, variant) for variant in (SMALL, LARGE))
    return {
        "wide-1": Pairs(narrow_large, large),
        "wide-0.1": Pairs(narrow_small, small),
        "constant": Pairs(small, large),
        "penalty": Pairs(narrow_large / narrow_small, large / small),
        "trained-0.1": Pairs(large, from_small),
        "trained-1": Pairs(large, from_large),
    }


def largest_factors(runs: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    """Return the factors of `wide-1` and `wide-0.1` if all runs at full width were at chance in every epoch.

    They are the largest that the questions can find, given the losses at an eighth of the width. That of
    `wide-1` is also the factor of `penalty` if in addition the losses with the constant 0.1 did not depend on
    the width.

    Returns:
        By question and outcome, the factor with its interval; questions and outcomes without at least two
        runs at an eighth of the width are left out.
    """
    found: dict[str, dict[str, Interval]] = {}
    for question, variant in (("wide-1", LARGE), ("wide-0.1", SMALL)):
        narrow = _losses(runs, NARROW, variant)
        for name in OUTCOMES:
            effect, _ = factor(narrow[name], pd.Series(1.0, narrow.index))
            if effect:
                found.setdefault(question, {})[name] = effect
    return found


def _losses(runs: pd.DataFrame, study: str, variant: str) -> pd.DataFrame:
    found = runs[(runs["study"] == study) & (runs["variant"] == variant)]
    return found.set_index(_PAIR)[list(OUTCOMES)]


def answers(runs: pd.DataFrame) -> list[Answer]:
    """Answer the questions of the studies, given the table of `width_runs`, in order."""
    return [_answer(question, compared) for question, compared in pairs(runs).items()]


def _answer(question: str, compared: Pairs) -> Answer:
    seeds = len({seed for _, seed in compared.complete})
    factors = {name: (factor(compared.first[name], compared.second[name])[0], seeds) for name in OUTCOMES}
    return answer_from(question, factors, above=not question.startswith("trained"))


@dataclass(frozen=True)
class Conclusion:
    """What the answers say together; each part is None as long as it is open.

    Attributes:
        impairs: whether width impairs training with the constant 1.
        reduces: whether the constant 0.1 reduces this effect.
        prevents: whether the constant 0.1 prevents it.
        trained: by initial value, whether a scale trained from it lowers the loss at full width below that
            with the constant 1.
    """

    impairs: bool | None
    reduces: bool | None
    prevents: bool | None
    trained: dict[str, bool | None]


def conclusion(found: Sequence[Answer]) -> Conclusion:
    """Combine the answers by the rule at the top of this module."""
    decided = {answer.question: answer.decided for answer in found}
    parts = {decided["constant"], decided["penalty"]}
    return Conclusion(
        impairs=decided["wide-1"],
        reduces=False if False in parts else None if None in parts else True,
        prevents=None if decided["wide-0.1"] is None else not decided["wide-0.1"],
        trained={start: decided[f"trained-{start}"] for start in ("0.1", "1")},
    )
