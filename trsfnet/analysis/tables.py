"""The paper's tables filled with our runs: the runs in each cell, and the verdict on each row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from trsfnet.analysis.branches import BranchRuns
from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.comparable_runs import Pooling
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import MIN_SEEDS, Outcome, Verdict
from trsfnet.analysis.judging import judge
from trsfnet.analysis.measures import measures
from trsfnet.analysis.quantities import QUANTITIES, Quantity
from trsfnet.analysis.rules import paper_reaches, paper_rules
from trsfnet.analysis.rules.contrast import Contrast, Means
from trsfnet.analysis.run import Run
from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.variants import GRID, table_variants
from trsfnet.paper.numbers import paper_table
from trsfnet.training.budget import Regime

# The claim whose bounds define "around 1" for each row of the tables of mean scales.
_AROUND_1 = "scales-around-1"


@dataclass(frozen=True)
class Row:
    """One variant of a table on one track.

    Attributes:
        variant: key of the variant, such as `v1-trsf-prelu`.
        values: values of the table's quantity, by finished seed.
        mean: mean over seeds, with a standard error from `TableRuns.pooling`; None with fewer than two seeds.
        gap: the difference that the row claims to be positive, available from a single seed; None if there is
            nothing to compare. See `TableRuns.questions`.
        gap_interval: the 95 % interval of the gap, unadjusted; None with fewer than two seeds on either side.
        verdict: verdict on the statement of the row; None if the row makes none.
    """

    variant: str
    values: dict[int, float]
    mean: Effect | None
    gap: float | None
    gap_interval: Interval | None
    verdict: Verdict | None

    @property
    def value(self) -> float | None:
        """Mean over finished seeds; None without any."""
        return sum(self.values.values()) / len(self.values) if self.values else None


@dataclass(frozen=True, eq=False)
class TableRuns:
    """The comparable runs of one table: one track, one budget, one version of the images.

    Attributes:
        table: number of the paper's table.
        track: `synthetic`, `lfw` or `paper`.
        budget: budget of the runs, such as `short`; empty without runs.
        images: version of the track's images; empty without runs.
        cells: runs by variant, ordered by seed; a variant without runs has an empty list.
        campaign: all runs comparable with these, including variants outside the table, whose seeds help to
            estimate the spread. None until one of the table's runs has ended.
    """

    table: int
    track: str
    budget: str
    images: str
    cells: dict[str, list[Run]]
    campaign: Campaign | None

    @cached_property
    def runs(self) -> list[Run]:
        """All runs of the table, in the paper's order."""
        return [run for cell in self.cells.values() for run in cell]

    @cached_property
    def branches(self) -> BranchRuns:
        """The residual branches of the finished runs."""
        return BranchRuns.of(self.cells)

    @property
    def regime(self) -> Regime | None:
        """Travel and decay budget of the runs' schedule; None without a run that finished an epoch."""
        return self.campaign.regime if self.campaign else None

    @property
    def quantity(self) -> Quantity:
        """The quantity in the table: TAR, or in tables 4 and 5 the mean magnitude of the scales."""
        return QUANTITIES["tar" if paper_table(self.table).unit == "percent" else "scale_magnitude"]

    @property
    def of_tar(self) -> bool:
        """True if the table shows TAR."""
        return self.quantity.name == "tar"

    @property
    def pooling(self) -> Pooling:
        """How spreads between seeds are pooled: as by the claims on the table."""
        return Pooling.NONE if self.table == 6 else Pooling.SIMILAR

    @property
    def baseline(self) -> str:
        """The variant to compare the others with: the first; in table 6, the paper's best initial slope."""
        cells = paper_table(self.table).by_variant
        return max(cells, key=cells.__getitem__) if self.table == 6 else next(iter(cells))

    @property
    def measures(self) -> tuple[str, ...]:
        """The metric on which verdicts are based, followed by those shown next to it."""
        return measures(self.track, self.budget)

    @cached_property
    def questions(self) -> dict[str, Contrast]:
        """The statement of each row as a rule, by variant; the baseline of a comparison makes none.

        In tables 1 to 3, a variant is better than the first. In table 6, the paper's best initial slope is
        better than another. In tables 4 and 5, the mean magnitude is around 1, within the bounds of the claim
        about all variants.
        """
        if not self.of_tar:
            around = paper_rules()[_AROUND_1]
            return {v: Contrast(self.quantity, (Means((v,)),), *around.bounds) for v in self.cells}
        others = [variant for variant in self.cells if variant != self.baseline]
        pairs = {v: (self.baseline, v) if self.table == 6 else (v, self.baseline) for v in others}
        return {
            v: Contrast(self.quantity, (Means((a,), (b,)),), above=0, pooling=self.pooling)
            for v, (a, b) in pairs.items()
        }

    @cached_property
    def claims(self) -> dict[str, str]:
        """The ids of the paper's claims that are identical to the statement of a row, by variant."""
        by_rule = {rule: claim for claim, rule in paper_rules().items()}
        return {v: by_rule[rule] for v, rule in self.questions.items() if rule in by_rule}

    @cached_property
    def rows(self) -> list[Row]:
        """All rows, in the paper's order.

        Verdicts are adjusted for the rows of the table. If a claim of the paper is identical to the statement
        of a row, the row shows the verdict on that claim, so that no statement has two verdicts.
        """
        if self.campaign is None:
            not_run = Verdict(Outcome.NOT_RUN, "")
            asked = self.questions
            return [Row(v, {}, None, None, None, not_run if v in asked else None) for v in self.cells]
        own = {variant: rule for variant, rule in self.questions.items() if variant not in self.claims}
        reach = paper_reaches().get(_AROUND_1)
        reaches = {} if self.of_tar or reach is None else dict.fromkeys(own, reach)
        verdicts = judge(own, self.campaign, reaches)
        verdicts |= {variant: self.campaign.verdicts[claim] for variant, claim in self.claims.items()}
        return [self._row(variant, verdicts.get(variant), self.campaign) for variant in self.cells]

    def _row(self, variant: str, verdict: Verdict | None, campaign: Campaign) -> Row:
        asked = self.questions.get(variant)
        means = asked.contrasts[0] if asked else None
        compared = means if means and means.than else None
        difference = campaign.effect(compared.weights, self.quantity, self.pooling) if compared else None
        return Row(
            variant,
            campaign.values(variant, self.quantity),
            campaign.effect({variant: 1.0}, self.quantity, self.pooling),
            _gap(compared, self.quantity, campaign) if compared else None,
            difference.interval if difference else None,
            verdict,
        )


def _gap(means: Means, quantity: Quantity, campaign: Campaign) -> float | None:
    """Return the weighted sum of means; None if a variant has no finished seed."""
    values = {v: list(campaign.values(v, quantity).values()) for v in means.weights}
    if not all(values.values()):
        return None
    return sum(weight * sum(values[v]) / len(values[v]) for v, weight in means.weights.items())


def table_budget(numbers: Sequence[int], track: str, runs: Sequence[Run]) -> str:
    """Return the budget in which tables of the paper are shown on a track; empty without runs.

    It is the largest budget with three or more seeds of every variant, all with the same version of the
    images; until there is one, the largest budget with any run.

    Args:
        numbers: numbers of the tables that are shown together.
        track: name of the track, such as `lfw`.
        runs: all runs.
    """
    variants = {variant.key for number in numbers for variant in table_variants(number)}
    fitting = _fitting(variants, track, runs)
    complete = {budget for budget, _ in _complete(variants, fitting)}
    return max(complete or {str(run.budget) for run in fitting}, key=list(BUDGETS).index, default="")


def _complete(variants: Collection[str], runs: Sequence[Run]) -> set[tuple[str, str]]:
    """Return the budgets and versions of the images with three or more ended seeds of every variant."""
    ended: dict[tuple[str, str], dict[str, set[int]]] = {}
    for run in runs:
        if run.ended:
            seeds = ended.setdefault((str(run.budget), str(run.config["images"])), {})
            seeds.setdefault(run.variant, set()).add(run.seed)
    return {
        key
        for key, seeds in ended.items()
        if seeds.keys() == set(variants) and min(map(len, seeds.values())) >= MIN_SEEDS
    }


def _fitting(variants: Collection[str], track: str, runs: Sequence[Run]) -> list[Run]:
    """Return the runs of the variants on a track that may be in a table of the paper."""
    found = [run for run in runs if run.track == track and run.variant in variants]
    return [run for run in found if run.budget and not run.departures and not run.in_a_study]


def table_runs(
    number: int, track: str, runs: Sequence[Run], campaigns: Sequence[Campaign], budget: str
) -> TableRuns:
    """Return the paper's table `number` on a track; it may have no runs.

    Args:
        number: number of the table.
        track: name of the track, such as `lfw`.
        runs: all runs.
        campaigns: all campaigns.
        budget: the budget of the runs to show.
    """
    variants = [variant.key for variant in table_variants(number)]
    fitting = [run for run in _fitting(variants, track, runs) if run.budget == budget]
    fitting.sort(key=_precedence)
    # Different versions of the images are different data. Use that of the latest run with enough seeds; a
    # reader's first run on another version must not empty the table.
    versions = {images for _, images in _complete(variants, fitting)}
    enough = [run for run in fitting if str(run.config["images"]) in versions]
    latest = max(enough or fitting, key=lambda run: run.started, default=None)
    images = str(latest.config["images"]) if latest else ""
    # One run per variant and seed: the last in `fitting`.
    chosen = {(run.variant, run.seed): run for run in fitting if str(run.config["images"]) == images}
    cells = {v: [chosen[v, seed] for seed in sorted(s for k, s in chosen if k == v)] for v in variants}
    placed = set(chosen.values())
    campaign = next((c for c in campaigns if placed & set(c.runs.values())), None)
    return TableRuns(number, track, budget, images, cells, campaign)


def left_out(tables: dict[str, TableRuns], runs: Sequence[Run]) -> list[tuple[Run, str]]:
    """Return the runs that a reader might expect in a table of the paper but that are not in it, and why.

    These are runs of its variants, and runs with the same network and loss whose variant is in no table. Runs
    of a study are shown on its own page instead.

    Args:
        tables: the same table by track; runs on other tracks are not expected in it.
        runs: all runs.
    """
    number = next(iter(tables.values())).table
    placed = {run for table in tables.values() for run in table.runs}
    variants = table_variants(number)
    elsewhere = {variant.key for variant in GRID} - {variant.key for variant in variants}
    kinds = {(variant.arch, variant.loss) for variant in variants}
    return [
        (run, _reason(run, tables[run.track]))
        for run in runs
        if run not in placed
        and run.track in tables
        and run.variant not in elsewhere
        and not run.in_a_study
        and (run.config["arch"], run.config["loss"]) in kinds
    ]


def _reason(run: Run, table: TableRuns) -> str:
    """Return why a run is not in the table on its track."""
    reasons = [f"{name.replace('_', ' ')} {value}" for name, value in run.departures.items()]
    if not reasons and run.budget != table.budget:
        reasons.append(f"budget {run.budget}")
    elif not reasons and str(run.config["images"]) != table.images:
        reasons.append(f"images {run.config['images']}")
    return ", ".join(reasons) or "a second run of its seed"


def _precedence(run: Run) -> tuple[bool, str, str]:
    """Return the sort key for runs of one variant and seed; ended runs, then later ones, take precedence."""
    return run.ended, run.started, run.run_id
