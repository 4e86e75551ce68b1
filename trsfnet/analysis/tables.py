"""The cells of the paper's tables: which runs stand in them, and what each row says of its variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from trsfnet.analysis.campaign import Campaign
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import Outcome, Verdict
from trsfnet.analysis.judging import judge
from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.quantities import QUANTITIES, Quantity
from trsfnet.analysis.rules import paper_reaches, paper_rules
from trsfnet.analysis.rules.contrast import Contrast, Means
from trsfnet.analysis.run import Run
from trsfnet.evaluation.statistics import Interval
from trsfnet.experiments.budgets import BUDGETS, of_a_study
from trsfnet.experiments.variants import GRID, table_variants
from trsfnet.paper.numbers import paper_table

# The claim whose bounds say what "around 1" is, for each row of the tables of mean scales.
_AROUND_1 = "scales-around-1"


@dataclass(frozen=True)
class Row:
    """One variant of a table on one track.

    Attributes:
        variant: such as `v1-trsf-prelu`.
        values: of the table's quantity, by finished seed.
        mean: over seeds, with an error from the spread of all variants; None with fewer than two seeds.
        gap: how far it goes the way that the paper says, with one seed even; None if there is nothing to
            compare. See `TableRuns.questions`.
        gap_interval: at 95 %, by itself; None with fewer than two seeds on either side.
        verdict: on what the row says; None where it says nothing.
    """

    variant: str
    values: dict[int, float]
    mean: Effect | None
    gap: float | None
    gap_interval: Interval | None
    verdict: Verdict | None

    @property
    def value(self) -> float | None:
        """The mean over finished seeds; None without."""
        return sum(self.values.values()) / len(self.values) if self.values else None


@dataclass(frozen=True, eq=False)
class TableRuns:
    """The runs of one table that may be compared: one track, one budget, one version of its images.

    Attributes:
        table: number of the paper's table.
        track: `synthetic`, `lfw` or `paper`.
        budget: of its runs, such as `full`, empty when nothing was run.
        images: version of the track's images, empty when nothing was run.
        cells: runs by variant, ordered by seed; a variant without a run has an empty list.
        campaign: all runs that may be compared with these, in the table or not: seeds of other variants tell
            how far seeds lie apart. None before one of the table's runs has ended.
    """

    table: int
    track: str
    budget: str
    images: str
    cells: dict[str, list[Run]]
    campaign: Campaign | None

    @cached_property
    def runs(self) -> list[Run]:
        """Every run of the table, in the paper's order."""
        return [run for cell in self.cells.values() for run in cell]

    @property
    def quantity(self) -> Quantity:
        """What the table is about: TAR, or in tables 4 and 5 the mean magnitude of the scales."""
        return QUANTITIES["tar" if paper_table(self.table).unit == "percent" else "scale_magnitude"]

    @property
    def of_tar(self) -> bool:
        """Whether the table is about TAR."""
        return self.quantity.name == "tar"

    @property
    def baseline(self) -> str:
        """The variant that the others are compared with: the first, in table 6 the paper's best start."""
        cells = paper_table(self.table).by_variant
        return max(cells, key=cells.__getitem__) if self.table == 6 else next(iter(cells))

    @property
    def measure(self) -> str:
        """Name of the metric that the track's verdicts rest on."""
        return MEASURES[self.track][0]

    @cached_property
    def questions(self) -> dict[str, Contrast]:
        """What each row says, by variant; the row that the others are compared with says nothing.

        In tables 1 to 3 a variant is better than the first, in table 6 the paper's best start is better than
        another, in tables 4 and 5 the mean magnitude is around 1, as wide as the claim on all is read.
        """
        if not self.of_tar:
            around = paper_rules()[_AROUND_1]
            return {v: Contrast(self.quantity, (Means((v,)),), *around.bounds) for v in self.cells}
        others = [variant for variant in self.cells if variant != self.baseline]
        pairs = {v: (self.baseline, v) if self.table == 6 else (v, self.baseline) for v in others}
        return {v: Contrast(self.quantity, (Means((a,), (b,)),), above=0) for v, (a, b) in pairs.items()}

    @cached_property
    def claims(self) -> dict[str, str]:
        """The ids of the paper's claims that ask just what a row does, by variant."""
        by_rule = {rule: claim for claim, rule in paper_rules().items()}
        return {v: by_rule[rule] for v, rule in self.questions.items() if rule in by_rule}

    @cached_property
    def rows(self) -> list[Row]:
        """Every row, in the paper's order.

        Verdicts are adjusted for the rows of the table. Where a claim of the paper asks just what a row does,
        its verdict stands there, so that no question has two answers.
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
        difference = campaign.effect(compared.weights, self.quantity) if compared else None
        return Row(
            variant,
            campaign.values(variant, self.quantity),
            campaign.effect({variant: 1.0}, self.quantity),
            _gap(compared, self.quantity, campaign) if compared else None,
            difference.interval if difference else None,
            verdict,
        )

    @cached_property
    def comparisons(self) -> list[Row]:
        """The rows that say something."""
        return [row for row in self.rows if row.verdict]


def _gap(means: Means, quantity: Quantity, campaign: Campaign) -> float | None:
    """The weighted sum of means; None where a variant has no finished seed."""
    values = {v: list(campaign.values(v, quantity).values()) for v in means.weights}
    if not all(values.values()):
        return None
    return sum(weight * sum(values[v]) / len(values[v]) for v, weight in means.weights.items())


def table_runs(number: int, track: str, runs: Sequence[Run], campaigns: Sequence[Campaign]) -> TableRuns:
    """The paper's table `number` on a track, at the largest budget that was run; maybe without runs.

    Args:
        number: of the table.
        track: such as `lfw`.
        runs: all that there are.
        campaigns: all of these.
    """
    variants = [variant.key for variant in table_variants(number)]
    found = [run for run in runs if run.track == track and run.variant in variants]
    fitting = [run for run in found if run.budget and not run.departures and not of_a_study(run.config)]
    budget = max((run.budget for run in fitting if run.budget), key=list(BUDGETS).index, default="")
    fitting = sorted((run for run in fitting if run.budget == budget), key=_precedence)
    # Faces of different versions are different data: the version of the latest run counts.
    images = str(max(fitting, key=lambda run: run.started).config["images"]) if fitting else ""
    # One for each variant and seed, the last of `fitting`.
    chosen = {(run.variant, run.seed): run for run in fitting if str(run.config["images"]) == images}
    cells = {v: [chosen[v, seed] for seed in sorted(s for k, s in chosen if k == v)] for v in variants}
    placed = set(chosen.values())
    campaign = next((c for c in campaigns if placed & set(c.runs.values())), None)
    return TableRuns(number, track, budget, images, cells, campaign)


def left_out(tables: dict[str, TableRuns], runs: Sequence[Run]) -> list[tuple[Run, str]]:
    """The runs that might be looked for in a table of the paper but are not in it, with the reason.

    They are those of its variants, and those of its network and loss whose variant is in no table. Those of a
    study are on its own page.

    Args:
        tables: the same table on each track.
        runs: all that there are.
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
        and run.variant not in elsewhere
        and not of_a_study(run.config)
        and (run.config["arch"], run.config["loss"]) in kinds
    ]


def _reason(run: Run, table: TableRuns) -> str:
    """Why a run is not in the table on its track."""
    reasons = [f"{name} {value}" for name, value in run.departures.items()]
    if not reasons and run.budget != table.budget:
        reasons.append(f"budget {run.budget}")
    elif not reasons and str(run.config["images"]) != table.images:
        reasons.append(f"images {run.config['images']}")
    return ", ".join(reasons) or "a second run of its seed"


def _precedence(run: Run) -> tuple[bool, str, str]:
    """Order of runs of one variant and seed, say in two precisions: the later of those that ended counts."""
    return run.done or run.collapsed, run.started, run.run_id
