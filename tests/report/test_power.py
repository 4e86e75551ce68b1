"""How many seeds a difference needs, against textbook calculations."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.power import seeds_planned, smallest_difference, surest
from trsfnet.report import power
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
    assert "| Rendered faces, short budget | v1 | TAR@FAR=1e-3 | 2 | 4 | 2.2 | 1.2 to 14.1 |" in str(
        power.spreads_table([spread])
    )


def test_the_planned_seeds_are_marked(tmp_path):
    for seed, tar in enumerate((0.20, 0.22, 0.19)):
        fake_run(tmp_path, "v1-relu", track="lfw", seed=seed, tar=tar, epochs=16, image_size=75)
        fake_run(tmp_path, "v2-prelu", seed=seed, tar=tar, loss="arcface")
    spreads = load(tmp_path).seed_spreads
    assert {(s.track, s.arch, s.loss) for s in spreads} == {
        ("lfw", "v1", "softmax"),
        ("synthetic", "v2", "arcface"),
    }
    assert surest(spreads, "synthetic") is None
    figure = power.power_figure(spreads)
    assert isinstance(figure, Picture)
    planned = seeds_planned("short", "lfw")
    assert planned == {8: ["table 1"], 5: ["table 2"], 3: ["the rest"]}
    text = str(power.power_table(spreads))
    for seeds, (part,) in planned.items():
        seen = 100 * smallest_difference(surest(spreads, "lfw").deviation, seeds=seeds, variants=6)
        assert f"| `lfw` | {part} | {seeds} | {seen:.1f} (" in text
        assert f">{part}</text>" in figure.svg
    assert "budget short, the seeds of each variant are 8 for table 1, 5 for table 2" in power.plan(spreads)


def test_without_two_seeds_the_page_says_so():
    assert "two finished seeds" in str(power.spreads_table([]))
    assert "two finished seeds" in str(power.power_figure([]))
    assert power.power_table([]) is None
