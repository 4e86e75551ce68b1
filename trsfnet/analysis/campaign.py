"""Groups of comparable runs with their verdicts on the paper's claims."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from trsfnet.analysis.comparable_runs import ComparableRuns
from trsfnet.analysis.findings import DECIDED, MIN_SEEDS, Outcome, Verdict
from trsfnet.analysis.judging import judge
from trsfnet.analysis.reach import run_regime
from trsfnet.analysis.rules import paper_reaches, paper_rules
from trsfnet.analysis.run import Run, moment
from trsfnet.experiments.budgets import (
    BUDGETS,
    ROUNDING_FIELDS,
    budget_of,
    departures,
    is_study,
    protocol,
    varies,
)
from trsfnet.experiments.studies import planned_configs
from trsfnet.paper.claims import claims_by_id
from trsfnet.training.budget import Regime


class Campaign(ComparableRuns):
    """Comparable runs with their verdicts on the paper's claims."""

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict of the runs on every claim of the paper, by claim id."""
        return judge(paper_rules(), self, paper_reaches())

    def exploratory(self, claim: str) -> bool:
        """Return whether it decides a claim with a measurement that is older than the claim's rule."""
        if self.verdicts[claim].outcome not in DECIDED:
            return False
        measured = paper_rules()[claim].first_measured(self)
        return measured is not None and measured < moment(claims_by_id()[claim].rule_since)

    def schedules(self, claim: str) -> set[Regime]:
        """Return the regimes of the runs that decide a claim."""
        return set(map(run_regime, paper_rules()[claim].deciding_runs(self)))

    def count(self, claims: Iterable[str]) -> Counter[Outcome]:
        """Count the claims with these ids by outcome."""
        return Counter(self.verdicts[claim].outcome for claim in claims)

    def decides(self, claims: Iterable[str]) -> set[str]:
        """Return those of the claims with these ids whose outcome is not *not run*."""
        return {claim for claim in claims if self.verdicts[claim].outcome != Outcome.NOT_RUN}

    def reaches(self, claims: Iterable[str]) -> set[str]:
        """Return those of the claims that it decides which are not out of reach of its runs."""
        decided = self.decides(claims)
        return {claim for claim in decided if self.verdicts[claim].outcome != Outcome.OUT_OF_REACH}

    def settles(self, claims: Iterable[str]) -> set[str]:
        """Return those of the claims for which it has three or more ended seeds of every variant needed."""
        return {c for c, variants in self._needed(claims).items() if all(map(self._has_seeds, variants))}

    def _has_seeds(self, variant: str) -> bool:
        return len(self.of(variant)) >= MIN_SEEDS

    def _needed(self, claims: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the variants that it compares for each claim that it decides, if any are needed."""
        needed = {claim: paper_rules()[claim].variants for claim in self.decides(claims)}
        return {claim: variants for claim, variants in needed.items() if variants}

    @cached_property
    def rank(self) -> tuple[int, str]:
        """Sort key: larger budgets rank higher, then campaigns with a more recent run."""
        latest = max(run.started for run in self.runs.values())
        return (list(BUDGETS).index(self.budget) if self.budget else -1), latest

    def replaces(self, other: Campaign, claims: Collection[str]) -> bool:
        """Return whether it ranks above `other` on the same track and says as much about the claims.

        It must decide all claims that `other` decides, reach all that `other` reaches, and settle all that
        `other` settles.
        """
        return (
            self.track == other.track
            and self.rank > other.rank
            and self.decides(claims) >= other.decides(claims)
            and self.reaches(claims) >= other.reaches(claims)
            and self.settles(claims) >= other.settles(claims)
        )

    def waits(self, other: Campaign, claims: Collection[str]) -> bool:
        """Return whether it has too few seeds to stand beside `other`.

        A larger budget waits until it settles a claim, if `other` settles any. A separate study waits until
        it has three seeds of each variant that it plans and that a claim within its reach needs.
        """
        if self.track != other.track or not other._of_tables:
            return False
        if not self._of_tables:
            if self.budget is None:
                return False
            needed = self._needed(claims)
            planned = {config.variant for config in planned_configs(self.budget, self.track)}
            compared = {variant for claim in self.reaches(claims) for variant in needed.get(claim, ())}
            return not all(map(self._has_seeds, planned & compared))
        return self.rank > other.rank and not self.settles(claims) and bool(other.settles(claims))

    @property
    def _of_tables(self) -> bool:
        """True if its budget is not that of a separate study."""
        return self.budget is not None and not is_study(self.budget)


def campaigns(runs: Sequence[Run]) -> list[Campaign]:
    """Group the runs that have ended (done or collapsed) into campaigns.

    The campaigns are sorted by track, in reverse alphabetical order, and within a track from the largest
    budget.
    """
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: (run.started, run.run_id)):
        if run.ended:
            groups[run.track, _comparable(run)].append(run)
    found = [_campaign(track, group) for (track, _), group in groups.items()]
    by_rank = sorted(found, key=lambda campaign: campaign.rank, reverse=True)
    return sorted(by_rank, key=lambda campaign: campaign.track, reverse=True)


def _comparable(run: Run) -> str:
    """Return a key that comparable runs share."""
    if run.budget and varies(run.budget):
        return f"{run.budget}, {run.config['images']}"
    shared = {k: v for k, v in protocol(run.config).items() if k != "learning_rate"}
    return json.dumps(shared, sort_keys=True, default=list)


def _campaign(track: str, runs: Sequence[Run]) -> Campaign:
    rates = Counter(run.learning_rate for run in runs)
    configs = {run.learning_rate: run.config for run in runs}
    odd = {rate: departures(config) for rate, config in configs.items()}
    rate = min(rates, key=lambda value: (len(odd[value]), -rates[value], value))
    budget = budget_of(configs[rate])
    varied = varies(budget)
    # If a seed was run twice, for example in two precisions, the run started later is used.
    by_key = {(_settings(run) if varied else run.variant, run.learning_rate, run.seed): run for run in runs}
    return Campaign(track, budget, {} if varied else odd[rate], rate, by_key)


def _settings(run: Run) -> str:
    """Return all settings of a run except those that affect only rounding."""
    settings = {k: v for k, v in run.config.items() if k not in ROUNDING_FIELDS}
    return json.dumps(settings, sort_keys=True, default=list)


def relevant(found: Sequence[Campaign], claims: Collection[str]) -> list[Campaign]:
    """Return the campaigns to show for the claims with these ids.

    Superseded campaigns are omitted, as are larger ones and separate studies with too few seeds to stand
    beside a smaller one.
    """
    return [
        one
        for one in found
        if not any(other.replaces(one, claims) or one.waits(other, claims) for other in found)
    ]
