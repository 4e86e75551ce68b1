"""Figures 5 to 11: scales and slopes as recorded, under the paper's names, and nothing dropped in silence."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.rules import paper_rules
from trsfnet.report import figure_runs, scales, slopes, starts
from trsfnet.text import decimal, significant

mpl.use("agg")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Three seeds of v1 with both, two with PReLU alone, one of v2, and two starts of the slopes."""
    runs = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        fake_run(runs, "v1-trsf-prelu", seed=seed)
    for seed in range(1, 3):
        fake_run(runs, "v1-prelu", seed=seed)
    fake_run(runs, "v1-trsf-relu", status="running")
    fake_run(runs, "v2-prelu")
    fake_run(runs, "v2-prelu", slope_init=0.25)
    fake_run(runs, "v1-trsf-prelu", epochs=2)
    return load(runs)


@pytest.fixture
def versions(found):
    return found.tables_by_track(1, 2)[0]


def slope_ends(group, setting):
    return [r.learned["slope"].iloc[-1] for r in group.cells[setting]]


def test_figure_5_shows_one_seed_and_folds_the_others(versions):
    shown, others = scales.over_training(versions)
    table = versions[0].cells["v1-trsf-prelu"][0].learned["trsf"].iloc[-1]
    start = "Our version of figure 5, on rendered faces (budget short: decay budget 0.06, travel 60)"
    assert shown.caption.startswith(f"{start}, seed 0 of each variant: ")
    assert "the mean magnitude starts at 0.10 and ends between " in shown.caption
    assert f"{table.abs().mean():.2f} (v1 + TRSF + PReLU)" in shown.caption
    assert "Not run yet: every variant of v2 and v1 + TRSF + Leaky ReLU." in shown.caption
    assert "Not finished: v1 + TRSF, seed 0 (running)." in shown.caption
    assert "TRSF_inception-resnet" in shown.svg
    assert "rendered faces: seeds 1 and 2\n" in str(others)
    assert "seeds 1 and 2 of each variant: the mean magnitude" in str(others)
    assert "\n\n<" not in str(others).partition("<figure")[2], "a blank line would end the raw HTML"


def test_figure_6_names_every_module_and_counts_what_the_paper_says(versions):
    shown = scales.after_training(versions[0], 6)
    names = set(re.findall(r">(TRSF_inception-resnet v1\.\d+)<", shown.svg))
    assert len(names) == 20
    cells = (versions[0].cells[f"v1-trsf-{activation}"] for activation in ("relu", "leaky-relu", "prelu"))
    ends = [run.learned["trsf"].iloc[-1] for cell in cells for run in cell]
    inside = sum(((e >= 0.6) & (e <= 1.3)).mean() for e in ends) / len(ends)
    assert f"{100 * inside:.1f}\u00a0% of them have a magnitude between 0.6 and 1.3" in shown.caption
    assert f"the scales end between {min(map(min, ends)):.2f} and {max(map(max, ends)):.2f}" in shown.caption
    assert "no run of v2 + TRSF" in str(scales.after_training(versions[1], 7))


def test_figure_8_has_the_papers_names(versions):
    shown, _ = slopes.over_training(versions[0])
    names = re.findall(r">(PReLU_inception-resnet v1\.[\w.-]+)<", shown.svg)
    assert len(names) == slopes.SHOWN
    assert names[0] == "PReLU_inception-resnet v1.stem.1"
    end = versions[0].cells["v1-prelu"][0].learned["slope"].iloc[-1][names]
    assert f"In v1 + PReLU, {(end < 0).sum()} of these 9 slopes end below zero." in shown.caption
    assert "seed 1 of each variant (v1 + TRSF + PReLU: seed 0)" in shown.caption


@pytest.mark.parametrize(("place", "number", "total"), [(0, 9, 131), (1, 10, 243)])
def test_figures_9_and_10_count_signs(versions, place, number, total):
    group = versions[place]
    caption = slopes.after_training(group, number).caption
    setting = ("v1-prelu", "v2-prelu")[place]
    negative = sorted(int((end < 0).sum()) for end in slope_ends(group, setting))
    mean = sum(negative) / len(negative)
    words = (
        "{0:.1f} positive and {1:.1f} negative slopes" if place == 0 else "{0:.0f} positive and {1:.0f} neg"
    )
    assert words.format(total - mean, mean) in caption
    if place == 0:
        assert f"(negative per seed: {negative[0]} to {negative[-1]})" in caption
    else:
        assert "Not run yet: v2 + TRSF + PReLU." in caption


def test_counts_stand_beside_the_papers_with_a_link_to_each_run(found, versions):
    text = str(slopes.signs_table([versions[0], found.tables(1)[1]], 9))
    assert "| 69\u00a0/\u00a062 |" in text
    assert "| 42\u00a0/\u00a089 |" in text
    for record in versions[0].cells["v1-prelu"]:
        negative = int((record.learned["slope"].iloc[-1] < 0).sum())
        assert f"seed {record.seed}: {131 - negative}\u00a0/\u00a0{negative}]" in text
    assert "not run" in text


def test_figure_11_compares_starts_over_40_slopes(found):
    [group, lfw] = found.tables(6)
    [shown] = starts.after_training(group)
    names = set(re.findall(r">(PReLU_inception-resnet v2\.[\w.-]+)<", shown.svg))
    assert len(names) == 40
    runs = [group.cells[variant][0].learned["slope"] for variant in ("v2-prelu", "v2-prelu-from0.25")]
    first, table = ([run.iloc[epoch] for run in runs] for epoch in (0, -1))
    before, after = (
        sum(abs(one[n] - other[n]) / 2**0.5 for n in names) / 40 for one, other in (first, table)
    )
    said = f"over the 2 networks, a slope's final values have a standard deviation of {after:.2f} on average"
    assert f"{said}; that of the initial values is {before:.2f}." in shown.caption
    assert "Not run yet: v2 + PReLU from −0.1, v2 + PReLU from 0.1 and v2 + PReLU from 0.3." in shown.caption
    over = starts.over_training(group).caption
    assert f"0.2 to {decimal(table[0].mean())}, 0.25 to {decimal(table[1].mean())}" in over
    assert "no run of v2 + PReLU from −0.1" in str(starts.after_training(lfw)[0])


def test_runs_that_are_left_out_are_listed(found):
    text = str(figure_runs.left_out(found, found.tables(1) + found.tables(2), "trsf"))
    assert "1 run that these figures leave out" in text
    assert "- Rendered faces, epochs 2: v1 + TRSF + PReLU, seed [0](" in text
    assert "all runs of their variants" in str(figure_runs.left_out(found, found.tables(6), "slope"))


def test_every_claim_on_scales_and_slopes_stands_on_its_page(found):
    for page, subject in (("scales", "Residual scales"), ("slopes", "Slopes of PReLU")):
        text = (Path(__file__).parents[2] / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8")
        for claim, rule in paper_rules().items():
            if rule.subject == subject:
                assert f'\\"{claim}\\"' in text, page
    table = str(figure_runs.verdicts(found, "Figures 8 to 10", "slopes-turn-negative", "figure-9"))
    assert "[○ out of reach](#claim-slopes-turn-negative)" in table.replace("\u00a0", " ")
    assert "#claim-figure-9" in table


@pytest.mark.parametrize(
    ("value", "written"), [(0.00033, "0.00033"), (0.0995, "0.10"), (9.96, "10"), (1.4, "1.4"), (0.0, "0")]
)
def test_significant_digits_at_a_power_of_ten(value, written):
    assert significant(value) == written
