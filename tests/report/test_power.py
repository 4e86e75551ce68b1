"""How many seeds a difference needs, against textbook calculations."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.power import (
    planned_tests,
    seeds_planned,
    sensitivities,
    smallest_difference,
    table_spread,
)
from trsfnet.experiments.variants import GRID
from trsfnet.report import power, summary
from trsfnet.report.display import Picture


# Cohen (1988), table 2.4.1: the size of each of two groups that shows d at 5 %, two-sided, with power 0.80.
@pytest.mark.parametrize(("seeds", "effect"), [(64, 0.5), (26, 0.8), (17, 1.0), (12, 1.2)])
def test_two_settings_are_the_textbooks_t_test(seeds, effect):
    seen = [smallest_difference(1.0, seeds=n, variants=2) for n in (seeds - 1, seeds)]
    assert seen[1] <= effect * 1.005
    assert seen[0] > effect * 0.995


def test_the_difference_has_the_power_by_the_noncentral_t():
    seeds, variants, tests = 5, 6, 20
    seen = smallest_difference(0.02, seeds=seeds, variants=variants, tests=tests)
    degrees = variants * (seeds - 1)
    critical = stats.t.ppf(1 - 0.05 / tests / 2, degrees)
    assert stats.nct.sf(critical, degrees, seen / (0.02 * math.sqrt(2 / seeds))) == pytest.approx(
        0.8, abs=1e-4
    )


def test_spread_is_pooled_and_has_its_chi_square_interval(tmp_path):
    for setting, tars in {"v1-relu": (0.20, 0.22), "v1-prelu": (0.30, 0.34), "v1-trsf-relu": (0.9,)}.items():
        for seed, tar in enumerate(tars):
            fake_run(tmp_path, setting, seed=seed, tar=tar)
    fake_run(tmp_path, "v1-relu", seed=7, status="collapsed")
    fake_run(tmp_path, "v2-relu")
    (spread,) = load(tmp_path).seed_spreads
    # Variances 0.0002 and 0.0008, one degree of freedom each.
    assert spread.deviation == pytest.approx(math.sqrt(0.0005))
    assert (spread.arch, spread.variants, spread.runs, spread.degrees_of_freedom) == ("v1", 2, 4, 2)
    # Quantiles of chi-square with 2 degrees of freedom: 7.378 and 0.0506.
    low, high = (math.sqrt(2 * 0.0005 / quantile) for quantile in (7.3778, 0.050636))
    assert spread.bounds == pytest.approx((low, high), rel=1e-4)
    equal = stats.bartlett([0.20, 0.22], [0.30, 0.34]).pvalue
    assert spread.p_equal == pytest.approx(equal)
    numbers = "4 of 2 variants | 2.2 (1.2 to 14.1) | 1.4 (v1) to 2.8 (v1 + PReLU) | 0.59 |"
    assert f"| v1 | TAR@FAR=1e-3, ten folds | {numbers}" in str(power.spreads_table([spread]))


def test_a_variant_that_is_not_compared_widens_the_rules_interval_alone(tmp_path):
    sides = {"v1-relu": 0.0, "v1-trsf-prelu": 0.1, "v2-relu": 0.0, "v2-trsf-prelu": 0.1}
    for seed in range(3):
        for setting, gain in sides.items():
            fake_run(tmp_path, setting, seed=seed, tar=0.3 + gain + 0.01 * seed)
        fake_run(tmp_path, "v2-prelu", seed=seed, tar=0.3 + 0.2 * seed, slope_init=-0.1)
    v1, v2 = sensitivities(load(tmp_path).campaigns, "trsf-prelu-gains")
    assert v1.pooled.interval == v1.own.interval
    # Two variants with a standard deviation of 0.01, and a third with 0.2.
    assert v2.own.standard_error == pytest.approx(0.01 * math.sqrt(2 / 3))
    assert v2.pooled.standard_error == pytest.approx(math.sqrt((2 * 0.01**2 + 0.2**2) / 3 * 2 / 3))
    assert v2.pooled.estimate == v2.own.estimate
    text = str(power.sensitivity_table(load(tmp_path)))
    assert "+10.0 points (" in text
    summarised = summary.generated(load(tmp_path))
    assert "v2, in points, ranges from 1.0 (v2) to 20.0 (v2 + PReLU from −0.1)" in summarised


def test_the_planned_seeds_are_marked(tmp_path):
    for seed, tar in enumerate((0.20, 0.22, 0.19)):
        fake_run(tmp_path, "v1-relu", track="lfw", seed=seed, tar=tar, epochs=16, image_size=75)
        fake_run(tmp_path, "v2-prelu", seed=seed, tar=tar, loss="arcface")
    spreads = load(tmp_path).seed_spreads
    assert {(s.track, s.arch, s.loss) for s in spreads} == {
        ("lfw", "v1", "softmax"),
        ("synthetic", "v2", "arcface"),
    }
    assert table_spread(spreads, "synthetic", 1) is None
    figure = power.power_figure(spreads)
    assert isinstance(figure, Picture)
    assert ">table 1</text>" in figure.svg
    assert ">table 2</text>" not in figure.svg
    assert seeds_planned("short", "lfw") == {1: 8, 2: 5, 3: 3, 6: 3}
    assert "budget short, the seeds of each variant are 8 for table 1, 5 for table 2" in power.plan(spreads)


def test_each_table_has_the_spread_of_its_own_network(tmp_path):
    """v2 varies ten times as much as v1, so that only small differences of v1 can be detected."""
    for seed in range(3):
        for setting in ("v1-relu", "v1-prelu"):
            fake_run(tmp_path, setting, seed=seed, tar=0.3 + 0.005 * seed)
        for setting in ("v2-relu", "v2-prelu", "v2-prelu-from0.3"):
            start = {"slope_init": 0.3} if "from" in setting else {}
            fake_run(tmp_path, setting.removesuffix("-from0.3"), seed=seed, tar=0.3 + 0.05 * seed, **start)
    spreads = load(tmp_path).seed_spreads
    text = str(power.power_table(spreads))
    figure = power.power_figure(spreads)
    for table, network, deviation in ((1, "v1", 0.005), (2, "v2", 0.05)):
        seeds = seeds_planned("short", "synthetic")[table]
        seen = 100 * smallest_difference(deviation, seeds=seeds, variants=6)
        start = f"| Rendered faces, short budget | {table} ({network}) | {100 * deviation:.1f} | {seeds} |"
        assert f"{start} {seen:.1f} (" in text
        assert f"Rendered faces, {network}: SD {100 * deviation:.1f} points" in figure.svg
    assert "| 6 (" not in text, "each initial slope has its own spread"


def test_holms_family_is_announced_as_it_is_judged(tmp_path):
    """Claims that are out of reach of the schedule are not tested, so they need no correction."""
    for variant in GRID:
        setting = variant.key.split("-from")[0].replace("-arcface", "")
        settings = {"loss": variant.loss, "epochs": 16, "image_size": 75}
        if variant.slope_init is not None:
            settings["slope_init"] = variant.slope_init
        for seed in range(3):
            fake_run(tmp_path, setting, track="lfw", seed=seed, tar=0.3 + 0.01 * seed, **settings)
    found = load(tmp_path)
    (campaign,) = found.campaigns
    family = campaign.verdicts["trsf-gains"].family
    assert any(verdict.outcome == Outcome.OUT_OF_REACH for verdict in campaign.verdicts.values())
    assert {planned_tests(spread) for spread in found.seed_spreads} == {family}
    assert f"corrects for all {family}," in power.plan(found.seed_spreads)


def test_without_two_seeds_the_page_says_so():
    assert "two finished seeds" in str(power.spreads_table([]))
    assert "two finished seeds" in str(power.power_figure([]))
    assert power.power_table([]) is None
