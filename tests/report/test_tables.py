"""The pages of tables 1 to 6: every cell of the paper, our numbers are the records', their verdicts."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.experiments.budgets import budget_settings
from trsfnet.paper.claims import claims_by_id, paper_claims
from trsfnet.paper.numbers import paper_table
from trsfnet.report import claims, commands, landing, tables
from trsfnet.report.card_links import card_link
from trsfnet.report.display import Picture
from trsfnet.report.names import row_name
from trsfnet.text import decimal

TABLES = range(1, 7)
ARCFACE = {"v2-prelu": [0.20, 0.21, 0.20], "v2-trsf-prelu": [0.30, 0.31, 0.30]}
STARTS = {-0.1: [0.1, 0.1, 0.11], 0.25: [0.3, 0.31, 0.3], 0.3: [0.4, 0.41, 0.4], None: [0.29, 0.31, 0.32]}


def write(root, tars, **others):
    """Runs with these TARs by setting, one per seed."""
    for setting, values in tars.items():
        for seed, tar in enumerate(values):
            fake_run(root, setting, seed=seed, tar=tar, **others)


def made(root, tars, **others):
    """The same, read."""
    write(root, tars, **others)
    return load(root)


def line(text, start):
    """The cells of the row whose first begins so."""
    (found,) = (x for x in text.splitlines() if x.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.split("|")[1:-1]]


@pytest.mark.parametrize("number", TABLES)
def test_every_cell_of_the_paper_stands_in_its_order_without_any_run(number):
    found = Analysis([])
    on_tracks = found.tables(number)
    text = str(tables.comparison_table(on_tracks))
    paper = paper_table(number)
    written = [f"{v:.2f}\u00a0%" if paper.unit else f"{v:.3f}" for v in paper.cells.values()]
    lines = [x for x in text.splitlines() if x.startswith("| ")][2:]
    assert len(lines) == len(written)
    for setting, value, found_line in zip(paper.by_variant, written, lines, strict=True):
        assert found_line.startswith(f"| {row_name(number, setting)} | {value}")
    assert paper.caption in text
    assert "comparable" in text
    assert text.count("no run yet") == 2
    for part in (
        tables.means_figure(on_tracks),
        tables.runs_behind(on_tracks),
        tables.other_runs(found, number),
    ):
        assert re.search("[Nn]o ", str(part))
    assert "no run has finished" in str(tables.verdict(found, number))


def test_percentages_have_the_interval_of_their_count():
    for number in (1, 2, 3, 6):
        intervals = tables.papers_intervals(number)
        for setting, share in paper_table(number).by_variant.items():
            interval = intervals[setting]
            assert math.isclose(interval.value, share, abs_tol=5e-5), setting
            assert interval.low < interval.value < interval.high
    text = str(tables.comparison_table(Analysis([]).tables(1)))
    assert line(text, "Inception-ResNet v1")[1] == "93.40\u00a0% (92.5 to 94.2\u00a0%)"
    assert line(text, "Inception-ResNet v1 + TRSF")[3] == "+1.83 points"


def test_our_numbers_are_the_records(tmp_path):
    tars = {"v1-relu": [0.20, 0.24, 0.22], "v1-trsf-relu": [0.30, 0.33, 0.30]}
    found = made(tmp_path, tars)
    on_tracks = found.tables(1)
    baseline, trsf, *others = on_tracks[0].rows
    assert trsf.gap == pytest.approx(0.31 - 0.22)
    # By hand: the spread is that of both settings together, each of three seeds.
    variance = (np.var([0.20, 0.24, 0.22], ddof=1) + np.var([0.30, 0.33, 0.30], ddof=1)) / 2
    half = 2.7764451 * math.sqrt(variance * 2 / 3)
    assert trsf.gap_interval.low == pytest.approx(0.09 - half)
    assert baseline.mean.interval.high == pytest.approx(0.22 + half / math.sqrt(2))
    assert not any(row.values for row in others)
    text = str(tables.comparison_table(on_tracks))
    _, _, mean, _, gap, verdict = line(text, "Inception-ResNet v1 + TRSF")
    assert mean.startswith("**31.0\u00a0%** (")
    assert gap.startswith("+9.0 points (")
    assert verdict == "✓\u00a0supported"
    for run, tar in zip(on_tracks[0].cells["v1-trsf-relu"], (30, 33, 30), strict=True):
        assert card_link(run, f"seed {run.seed}: {tar:.1f}\u00a0%") in mean
    assert "31.0\u00a0%" in tables.means_figure(on_tracks).alt


def test_the_words_of_rows(tmp_path):
    tars = {
        "v1-relu": [0.20, 0.21, 0.20],
        "v1-trsf-relu": [0.30, 0.31, 0.30],
        "v1-prelu": [0.10, 0.11, 0.10],
        "v1-trsf-prelu": [0.19, 0.21, 0.22],
        "v1-leaky-relu": [0.9],
    }
    found = made(tmp_path, tars)
    group = found.table(1, "synthetic")
    assert {row.variant: row.verdict.outcome for row in group.rows if row.verdict} == {
        "v1-trsf-relu": "supported",
        "v1-leaky-relu": "inconclusive",
        "v1-trsf-leaky-relu": "not run",
        "v1-prelu": "contradicted",
        "v1-trsf-prelu": "inconclusive",
    }
    assert tables.sentence(group) == (
        "a gain over v1 is supported for v1 + TRSF; a gain over v1 is contradicted for v1 + PReLU; for v1 + "
        "Leaky ReLU and v1 + TRSF + PReLU, it remains open whether the variant is better than v1; no run of "
        "v1 + TRSF + Leaky ReLU has ended."
    )
    assert "+69.7 points (no interval)" in str(tables.comparison_table([group]))


def test_one_seed_concludes_nothing(tmp_path):
    found = made(tmp_path, {"v1-relu": [0.2], "v1-trsf-relu": [0.5]})
    group = found.table(1, "synthetic")
    assert "no conclusion is possible" in tables.sentence(group)
    assert "**50.0\u00a0%** (no interval), <button" in str(tables.comparison_table([group]))
    assert str(landing.answer(landing.campaigns_on_questions(found))).startswith(
        "- **Accuracy.** With weaker decay than the paper's, it remains open whether TRSF"
    )
    assert isinstance(tables.means_figure([group]), Picture)


def test_a_missing_seed_is_seen(tmp_path):
    write(tmp_path, {"v1-relu": [0.2, 0.2, 0.2]})
    fake_run(tmp_path, "v1-trsf-relu", seed=0, tar=0.3)
    fake_run(tmp_path, "v1-trsf-relu", seed=2, tar=0.3)
    text = str(tables.comparison_table(load(tmp_path).tables(1)))
    _, _, mean, _, _, verdict = line(text, "Inception-ResNet v1 + TRSF")
    assert re.search(r">2 seeds</button>.*\[seed 0: .*\[seed 2: ", mean)
    assert "inconclusive" in verdict


def test_a_row_that_is_a_claim_has_the_claims_word(tmp_path):
    """Alone it would be supported; among all claims that these runs test it may not be."""
    found = made(tmp_path, ARCFACE, loss="arcface")
    (row,) = [row for row in found.table(3, "synthetic").rows if row.verdict]
    (campaign,) = found.campaigns
    verdict = campaign.verdicts["trsf-gains-with-arcface"]
    assert row.verdict is verdict
    assert (row.gap, row.gap_interval.low) == pytest.approx(
        (verdict.measured[0].estimate, verdict.measured[0].low)
    )
    text = str(tables.comparison_table(found.tables(3)))
    *_, gap, outcome = line(text, "Inception-ResNet v2 + TRSF + PReLU")
    assert verdict.outcome in outcome
    assert gap.startswith("+10.0 points")
    assert "#claim-trsf-gains-with-arcface" in str(tables.verdict(found, 3))


def test_the_paper_best_start_leads_or_does_not(tmp_path):
    for start, tars in STARTS.items():
        write(tmp_path, {"v2-prelu": tars}, slope_init=start)
    group = load(tmp_path).table(6, "synthetic")
    words = {row.variant: row.verdict and row.verdict.outcome for row in group.rows}
    assert words == {
        "v2-prelu-from-0.1": "supported",
        "v2-prelu-from0.1": "not run",
        "v2-prelu": "inconclusive",
        "v2-prelu-from0.25": None,
        "v2-prelu-from0.3": "contradicted",
    }
    text = str(tables.comparison_table([group]))
    assert line(text, "−0.1")[3] == "+1.40 points"
    *_, gap, verdict = line(text, "0.3")
    assert gap.startswith("−10.0 points")
    assert verdict == "✗\u00a0contradicted"
    said = tables.sentence(group)
    assert "the lead of 0.25 is supported over −0.1;" in said
    assert "it remains open whether 0.25 is better than 0.2; no run from 0.1 has ended." in said
    # Initial slopes differ in their spread, so seeds of v2 in table 2 tell nothing of it.
    before = group.rows[0].gap_interval
    write(tmp_path, {"v2-relu": [0.1, 0.5, 0.9]})
    after = load(tmp_path).table(6, "synthetic").rows[0].gap_interval
    assert after == before


@pytest.mark.parametrize(("number", "arch"), [(4, "v1"), (5, "v2")])
def test_mean_scales_are_those_of_the_records(tmp_path, number, arch):
    found = made(tmp_path, {f"{arch}-trsf-prelu": [0.2, 0.2, 0.2], f"{arch}-trsf-relu": [0.2]})
    group = found.table(number, "synthetic")
    expected, signed = [], []
    for record in group.cells[f"{arch}-trsf-prelu"]:
        last = record.record.parameters().query("kind == 'trsf' and epoch == epoch.max()")
        expected.append(last["value"].abs().mean())
        signed.append(last["value"].mean())
    row = group.rows[-1]
    assert list(row.values.values()) == pytest.approx(expected)
    # Whatever they are: so small a decay budget cannot take them to 1.
    assert row.verdict.outcome == "out of reach"
    text = str(tables.comparison_table([group]))
    mean, word = line(text, f"{arch} + TRSF + PReLU")[2:]
    assert mean.startswith(f"**{np.mean(expected):.2f}** (")
    assert f"), signed mean {decimal(np.mean(signed))}, <" in mean
    evidence = str(claims.evidence("Scales", [claims_by_id()["scales-around-1"]], found))
    assert f"; signed mean {decimal(np.mean(signed))} |" in evidence
    assert word == "○\u00a0out of reach"
    assert "(no interval)" in line(text, f"{arch} + TRSF")[2]
    assert f"{expected[0]:.3f}" in str(tables.runs_behind([group]))


@pytest.mark.parametrize(
    ("number", "some", "none"),
    [
        (1, {"table-1", "trsf-gains", "step-by-step"}, {"start-0.25-best", "table-2", "scales-around-1"}),
        (2, {"table-2", "trsf-gains", "prelu-gains-0.82"}, {"start-0.25-best", "trsf-gains-with-arcface"}),
        (3, {"table-3", "trsf-gains-with-arcface"}, {"trsf-gains"}),
        (4, {"table-4", "scales-around-1", "scales-differ-between-versions"}, {"table-5", "trsf-gains"}),
        (5, {"table-5", "scales-around-1", "scales-differ-between-versions"}, {"table-4"}),
        (6, {"table-6", "start-0.25-best", "sensitive-to-start"}, {"trsf-gains", "prelu-gains-0.82"}),
    ],
)
def test_the_claims_that_rest_on_a_table(number, some, none):
    found = {claim.id for claim in tables.claims_on(Analysis([]).table(number, "synthetic"))}
    assert found >= some
    assert not found & none
    assert found <= {claim.id for claim in paper_claims()}


def test_the_verdict_of_a_claim_is_that_of_the_claims_page(tmp_path):
    found = made(tmp_path, {"v1-relu": [0.2] * 3, "v1-trsf-relu": [0.3, 0.31, 0.3]})
    (campaign,) = found.campaigns
    outcome = campaign.verdicts["trsf-gains-1.24"].outcome
    text = str(tables.verdict(found, 1))
    assert re.search(rf"\[.\u00a0{outcome}\]\(#claim-trsf-gains-1\.24\)", text)


def test_runs_of_other_scales_are_behind_a_fold(tmp_path):
    write(tmp_path, {"v1-relu": [0.2]})
    fake_run(tmp_path, "v1-relu", epochs=3, image_size=75)
    found = load(tmp_path)
    text = str(tables.other_runs(found, 1))
    assert "{dropdown} 1 other run" in text
    assert "budget quick" in text
    assert not found.left_out([found.table(4, "synthetic")])


def test_the_command_repeats_the_budget_and_seeds_that_are_shown(tmp_path):
    for seed in (300, 302):
        fake_run(tmp_path, "v1-relu", seed=seed, **budget_settings("full", "synthetic"))
    text = str(commands.repeating("table 1", load(tmp_path).tables(1)))
    assert '`make runs EXHIBIT="table 1" BUDGET=full SEEDS=300,302` (4 epochs, ' in text
    assert "cosine schedule from a learning rate of 0.05, weight decay 0.02, 75 pixels, 1/4 of" in text
    assert "lfw" not in text
    assert "a brief version" in str(commands.repeating("table 1", []))
