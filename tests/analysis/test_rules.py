"""The outcomes that follow from runs for every claim, by its rule."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, rules
from trsfnet.analysis.comparable_runs import ComparableRuns, Pooling
from trsfnet.analysis.judging import judge
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.reach import Minimum, Reach
from trsfnet.analysis.rules import Rule, paper_rules
from trsfnet.analysis.rules.agreement import Agreement
from trsfnet.analysis.rules.cells import Cells
from trsfnet.analysis.rules.contrast import Contrast, Means
from trsfnet.analysis.rules.count import Count
from trsfnet.analysis.rules.fewer_collapses import FewerCollapses
from trsfnet.analysis.rules.no_collapse import NoCollapse
from trsfnet.analysis.rules.spread import Spread
from trsfnet.analysis.rules.untested import Untested
from trsfnet.analysis.run import Run
from trsfnet.paper.claims import paper_claims

TAR, SCALES = QUANTITIES["tar"], QUANTITIES["scale_magnitude"]
GAIN = Contrast(TAR, (Means(("v1-trsf-relu",), ("v1-relu",)),), above=0)
STEADY = {"v1-relu": [0.20, 0.21, 0.20, 0.22], "v1-trsf-relu": [0.30, 0.32, 0.30, 0.33]}


def runs(root, tars, **more):
    """Records with these TARs by setting and seed; None is a run that collapsed."""
    return [
        fake_run(
            root, setting, seed=seed, tar=tar or 0.0, status="collapsed" if tar is None else "done", **more
        )
        for setting, values in tars.items()
        for seed, tar in enumerate(values)
    ]


def only(rule, records):
    (campaign,) = Analysis(records).campaigns
    return judge({"a": rule}, campaign)["a"]


def test_a_steady_gain_is_supported_and_a_steady_loss_contradicted(tmp_path):
    records = runs(tmp_path, STEADY)
    found = only(GAIN, records)
    assert found.outcome == "supported"
    (measured,) = found.measured
    assert (measured.name, measured.seeds, measured.paired) == ("v1 + TRSF − v1", 4, False)
    assert measured.estimate == pytest.approx(0.105)
    assert measured.low < 0.105 < measured.high
    assert 0 < measured.minimum_detectable < measured.estimate
    loss = (Means(("v1-relu",), ("v1-trsf-relu",)),)
    assert only(Contrast(TAR, loss, above=0), records).outcome == "contradicted"
    assert only(Contrast(TAR, loss, below=0), records).outcome == "supported"
    # A gain, but not so large a one; and one that is neither shown to be this large nor not to be.
    assert only(Contrast(TAR, GAIN.contrasts, above=0.2), records).outcome == "contradicted"
    assert only(Contrast(TAR, GAIN.contrasts, above=0.105), records).outcome == "inconclusive"


def test_noise_and_ties_decide_nothing(tmp_path):
    noisy = runs(tmp_path / "a", {"v1-relu": [0.1, 0.3, 0.2], "v1-trsf-relu": [0.3, 0.2, 0.25]})
    assert only(GAIN, noisy).outcome == "inconclusive"
    tied = runs(tmp_path / "b", {"v1-relu": [0.2, 0.2, 0.2], "v1-trsf-relu": [0.2, 0.2, 0.2]})
    assert (only(GAIN, tied).outcome, only(GAIN, tied).p_value) == ("inconclusive", 1.0)


def test_too_few_seeds_decide_nothing_however_large_the_difference(tmp_path):
    records = runs(tmp_path, {"v1-relu": [0.2, 0.2, 0.2], "v1-trsf-relu": [0.9, 0.9, None]})
    found = only(GAIN, records)
    assert (found.outcome, found.p_value) == ("inconclusive", None)
    assert "v1 + TRSF has 2 finished seeds" in found.reason
    assert "1 collapsed" in found.reason


def test_what_was_not_run(tmp_path):
    records = runs(tmp_path, {"v1-relu": [0.2, 0.2, 0.2]})
    records += runs(tmp_path, {"v1-trsf-relu": [0.2]}, info={"status": "running"})
    found = only(GAIN, records)
    assert (found.outcome, found.reason) == ("not run", "No run of v1 + TRSF has ended.")
    assert only(Untested("Nobody knows."), records).reason == "Nobody knows."


def test_variants_without_runs_are_counted_over_all_comparisons(tmp_path):
    records = runs(tmp_path, {"v2-relu": [0.2, 0.2, 0.2]})
    starts = ("v2-prelu-from-0.1", "v2-prelu-from0.1", "v2-prelu-from0.3")
    leads = tuple(Means(("v2-prelu-from0.25",), (start,)) for start in starts)
    found = only(Contrast(TAR, leads, above=0), records)
    assert found.reason == "No run of v2 + PReLU from 0.25 or of 3 other variants has ended."


def test_all_must_gain_and_any_may_lose(tmp_path):
    both = Contrast(TAR, (*GAIN.contrasts, Means(("v1-prelu",), ("v1-relu",))), above=0)
    records = runs(tmp_path, STEADY)
    found = only(both, records)
    assert (found.outcome, found.p_value) == ("inconclusive", 1.0)
    assert "1 of 2 comparisons cannot be made" in found.reason
    gains = runs(tmp_path / "up", {"v1-prelu": [0.27, 0.29, 0.27, 0.30]})
    assert only(both, records + gains).outcome == "supported"
    losses = runs(tmp_path / "down", {"v1-prelu": [0.10, 0.12, 0.10, 0.13]})
    assert only(both, records + losses).outcome == "contradicted"
    unclear = runs(tmp_path / "level", {"v1-prelu": [0.20, 0.22, 0.19, 0.23]})
    assert only(both, records + unclear).outcome == "inconclusive"


def test_the_more_claims_the_stricter(tmp_path):
    records = runs(tmp_path, {"v1-relu": [0.20, 0.22, 0.20], "v1-trsf-relu": [0.23, 0.25, 0.23]})
    alone = only(GAIN, records)
    assert alone.outcome == "supported"
    hopeless = Contrast(TAR, (Means(("v1-relu",)),), above=0.2)
    (campaign,) = Analysis(records).campaigns
    among = judge({"gain": GAIN} | {str(i): hopeless for i in range(5)}, campaign)["gain"]
    assert among.family == 6
    assert among.p_value == alone.p_value
    assert among.p_holm == pytest.approx(6 * alone.p_value)
    assert among.outcome == "inconclusive"
    assert among.measured[0].minimum_detectable > alone.measured[0].minimum_detectable
    # Claims that cannot be tested do not count.
    assert judge({"gain": GAIN, "b": Untested("No.")}, campaign)["gain"].family == 1


def test_the_side_that_lost_more_runs_does_not_win(tmp_path):
    records = runs(tmp_path, STEADY | {"v1-trsf-relu": [*STEADY["v1-trsf-relu"], None]})
    found = only(GAIN, records)
    assert found.outcome == "inconclusive"
    assert "more runs of the side in favour collapsed" in found.reason
    others = runs(tmp_path / "b", STEADY | {"v1-relu": [*STEADY["v1-relu"], None]})
    assert only(GAIN, others).outcome == "supported"


def test_runs_of_two_protocols_are_not_mixed(tmp_path):
    records = runs(tmp_path, STEADY) + runs(tmp_path, {"v1-relu": [0.9, 0.8, 0.9]}, epochs=2)
    first, second = Analysis(records).campaigns
    assert (first.budget, first.departures, judge({"": GAIN}, first)[""].outcome) == (
        "short",
        {},
        "supported",
    )
    assert (second.budget, second.departures) == (None, {"epochs": 2})
    assert judge({"": GAIN}, second)[""].outcome == "not run"


def test_arcface_with_another_margin_is_another_protocol(tmp_path):
    pair = {"v2-prelu": [0.20, 0.22, 0.20], "v2-trsf-prelu": [0.30, 0.32, 0.29]}
    gain = Contrast(TAR, (Means(("v2-arcface-trsf-prelu",), ("v2-arcface-prelu",)),), above=0)
    constants = {"loss": "arcface", "arcface_scale": 16.0}
    records = runs(tmp_path, pair, **constants, arcface_margin=0.2) + runs(tmp_path, pair)
    records += runs(tmp_path, {"v2-prelu": [0.9, 0.9, 0.9]}, **constants, arcface_margin=0.4)
    found = [(c.departures, judge({"": gain}, c)[""].outcome) for c in Analysis(records).campaigns]
    assert sorted(found, key=str) == [({"arcface_margin": 0.4}, "not run"), ({}, "supported")]


def test_a_range_holds_its_mean(tmp_path):
    records = runs(tmp_path, STEADY)
    level = (Means(("v1-relu",)),)
    assert only(Contrast(TAR, level, above=0.15, below=0.3), records).outcome == "supported"
    assert only(Contrast(TAR, level, above=0.3, below=0.5), records).outcome == "contradicted"
    assert only(Contrast(TAR, level, above=0.205, below=0.5), records).outcome == "inconclusive"


def test_what_is_read_from_scales_and_slopes(tmp_path):
    """The made-up scales end near 1.0, the slopes near 0.0, straight from 0.1 and 0.2 over four epochs."""
    records = runs(tmp_path, {"v1-trsf-prelu": [0.2, 0.2, 0.2, 0.2]})
    both = (Means(("v1-trsf-prelu",)),)
    quantities = [QUANTITIES[name] for name in ("scale_magnitude", "slopes_negative", "slope_share_negative")]
    for record in records:
        final = record.parameters().query("epoch == epoch.max()")
        slopes = final[final["kind"] == "slope"]["value"]
        scales = final[final["kind"] == "trsf"]["value"]
        run = Run(record)
        expected = [scales.abs().mean(), (slopes < 0).sum(), (slopes < 0).mean()]
        assert [run.value(quantity) for quantity in quantities] == pytest.approx(expected)
    assert only(Contrast(SCALES, both, above=0.5, below=1.5), records).outcome == "supported"
    assert only(Contrast(SCALES, both, below=0.5), records).outcome == "contradicted"
    # A quarter of the way is still gone in the last epoch.
    settled = Contrast(QUANTITIES["scale_late_change"], both, below=0.05)
    assert only(settled, records).outcome == "contradicted"
    # Half of the images are right after the second epoch: 0, 1/2.
    assert Run(records[0]).value(QUANTITIES["epochs_to_half"]) == pytest.approx(2)


def with_scales(record, ends):
    """The record, its scales having ended at these values by turns."""
    table = record.parameters().astype({"value": float})
    last = (table["kind"] == "trsf") & (table["epoch"] == table["epoch"].max())
    table.loc[last, "value"] = np.resize(ends, last.sum())
    record.write_parameters(table.to_dict("records"))
    return record


def test_the_sign_of_a_scale_is_no_matter(tmp_path):
    """The kernel can take it over."""
    (record,) = runs(tmp_path, {"v1-trsf-relu": [0.2]})
    run = Run(with_scales(record, (0.9, -0.5)))
    assert run.value(SCALES) == pytest.approx(0.7)
    assert run.value(QUANTITIES["scale_smallest"]) == pytest.approx(0.5)
    assert run.value(QUANTITIES["scale_variation"]) == pytest.approx(0.2 / 0.7)
    assert run.value(QUANTITIES["scale_share_0.6_to_1.3"]) == pytest.approx(0.5)


def test_what_scales_do_is_pooled_with_scales_that_are_set_alike(tmp_path):
    """Scales of one a channel hardly differ between seeds; that says nothing of others."""
    one = runs(tmp_path / "one", {"v1-trsf-relu": [0.2] * 3})
    channels = runs(tmp_path / "channels", {"v1-trsf-relu": [0.2] * 3}, trsf_per_channel=True)
    records = [with_scales(record, [end]) for record, end in zip(one, (0.3, 0.1, 0.5), strict=True)]
    records += [with_scales(record, [0.3]) for record in channels]
    (measured,) = only(Contrast(SCALES, (Means(("v1-trsf-relu",)),), above=0.1), records).measured
    expected = stats.t.interval(0.95, 2, loc=0.3, scale=0.2 / 3**0.5)
    assert (measured.low, measured.high) == pytest.approx(expected)


def learning(records, shares):
    """The records, with these shares of the training images right after their epochs."""
    for record in records:
        table = record.history().head(len(shares)).assign(train_accuracy=shares)
        record.write_history(table.to_dict("records"))
    return records


def test_a_run_that_never_gets_half_right_is_the_slowest_and_not_left_out(tmp_path):
    faster = Contrast(QUANTITIES["epochs_to_half"], (Means(("v1-trsf-relu",), ("v1-relu",)),), below=0)
    quick = learning(runs(tmp_path, {"v1-trsf-relu": [0.2] * 6}), [0.5, 0.6, 0.7, 0.8])
    slow = learning(runs(tmp_path, {"v1-relu": [0.2] * 6}), [0.1, 0.2, 0.3, 0.4])
    found = only(faster, quick + slow)
    assert found.outcome == "supported"
    assert found.measured[0].estimate == pytest.approx(1 - 4)
    # Of the other side the true number may be any larger one.
    unknown = Contrast(QUANTITIES["epochs_to_half"], (Means(("v1-relu",), ("v1-trsf-relu",)),), below=10)
    assert only(unknown, quick + slow).outcome == "inconclusive"
    assert "ended too early" in only(unknown, quick + slow).reason


def test_values_are_compared_on_the_papers_data_only(tmp_path):
    rule = Cells(TAR, tolerance=0.01, tables=(3,))
    published = {"v2-prelu": 0.9065, "v2-trsf-prelu": 0.9149}

    def ours(name, shift):
        tars = {s: [v + shift, v + shift + 0.001, v + shift - 0.001] for s, v in published.items()}
        return runs(tmp_path / name, tars, loss="arcface")

    assert only(rule, ours("elsewhere", 0)).outcome == "not run"
    for name, shift, word in (("same", 0, "supported"), ("far", -0.05, "contradicted")):
        records = ours(name, shift)
        for record in records:
            record.write_info(track="paper")
        found = only(rule, records)
        assert found.outcome == word
        assert found.measured[0].estimate == pytest.approx(shift, abs=1e-9)


def test_a_spread_of_starts(tmp_path):
    names = {-0.1: "v1-prelu-from-0.1", None: "v1-prelu", 0.3: "v1-prelu-from0.3"}
    rule = Spread(TAR, tuple(names.values()))
    far = [
        record
        for start, tars in zip(names, ([0.1, 0.11, 0.1], [0.2, 0.21, 0.2], [0.1, 0.1, 0.11]), strict=True)
        for record in runs(tmp_path / "far", {"v1-prelu": tars}, slope_init=start)
    ]
    found = only(rule, far)
    assert found.outcome == "supported"
    assert found.measured[0].estimate == pytest.approx(0.1)
    near = [
        record
        for start in names
        for record in runs(tmp_path / "near", {"v1-prelu": [0.1, 0.2, 0.15]}, slope_init=start)
    ]
    assert only(rule, near).outcome == "inconclusive"
    # A noisy start between the two others hides their difference only if its spread is pooled with theirs.
    noisy = [
        record
        for start, tars in zip(names, ([0.1, 0.11, 0.1], [0.2, 0.21, 0.2], [0.05, 0.15, 0.25]), strict=True)
        for record in runs(tmp_path / "noisy", {"v1-prelu": tars}, slope_init=start)
    ]
    assert only(rule, noisy).outcome == "inconclusive"
    assert only(replace(rule, pooling=Pooling.NONE), noisy).outcome == "supported"


def test_no_crash(tmp_path):
    rule = NoCollapse(("v1-trsf-relu",))
    many = runs(tmp_path, {"v1-trsf-relu": [0.2] * 14})
    assert only(rule, many).outcome == "supported"
    assert only(rule, many[:8]).outcome == "inconclusive"
    assert only(rule, many[:2]).p_value is None
    one_network = only(NoCollapse(("v1-trsf-relu", "v1-relu")), many)
    assert (one_network.outcome, one_network.p_value) == ("inconclusive", None), "no run of the other"
    # At another learning rate it is no counterexample, at the track's own it is.
    stressed = runs(tmp_path, {"v1-trsf-relu": [None]}, learning_rate=2.0)
    assert only(rule, many + stressed).outcome == "supported"
    collapsed = runs(tmp_path / "b", {"v1-trsf-relu": [0.2, None]})
    assert only(rule, collapsed).outcome == "contradicted"
    assert "1 of 2 runs collapsed" in only(rule, collapsed).reason


def test_fewer_collapses_over_learning_rates(tmp_path):
    rule = FewerCollapses(("v1-trsf-relu",), ("v1-relu",))
    records = []
    for rate in (0.05, 0.5, 1.0):
        accuracy = None if rate > 0.1 else 0.2
        records += runs(tmp_path, {"v1-relu": [accuracy] * 4, "v1-trsf-relu": [0.2] * 4}, learning_rate=rate)
    found = only(rule, records)
    assert found.outcome == "supported"
    (measured,) = found.measured
    assert measured.estimate == pytest.approx(-8 / 12)
    assert measured.low < measured.estimate < measured.high < 0
    assert (measured.seeds, measured.paired) == (12, True)
    assert 0 < measured.minimum_detectable < 1
    assert only(FewerCollapses(("v1-relu",), ("v1-trsf-relu",)), records).outcome == "contradicted"
    few = [r for r in records if r.config["learning_rate"] < 1]
    assert only(rule, few).outcome == "inconclusive"
    calm = [r for r in records if r.config["learning_rate"] < 0.1]
    assert "ended alike" in only(rule, calm).reason
    assert only(FewerCollapses(("v1-trsf-relu",), ("v1-scale1-relu",)), records).outcome == "not run"


def test_counts_are_counted(tmp_path):
    of_v1 = runs(tmp_path, {"v1-relu": [0.2]})
    found = only(Count("slopes", (("v1", "slopes of v1"),)), of_v1)
    assert (found.outcome, found.measured[0].estimate) == ("supported", 131)
    assert only(Count("slopes", (("v1", "slopes of v2"),)), of_v1).outcome == "contradicted"
    assert only(Count("slopes", (("v2", "slopes of v2"),)), of_v1).outcome == "not run"


def test_parameters_are_counted_at_full_width(tmp_path):
    narrow = runs(tmp_path, {"v1-relu": [0.2], "v2-relu": [0.2]})
    assert {record.config["width"] for record in narrow} != {1.0}
    found = only(paper_rules()["counts-of-parameters"], narrow)
    # The paper's 22 million of v1 are 23.5 million.
    assert found.outcome == "contradicted"
    assert [measured.estimate for measured in found.measured] == [23_467_975, 55_063_419]


def test_all_of_the_papers_claims_can_be_judged(tmp_path):
    variants = [f"{v}-{s}" for v in ("v1", "v2") for s in ("relu", "trsf-relu", "prelu", "trsf-prelu")]
    records = runs(tmp_path, {v: [0.2 + 0.01 * i, 0.21 + 0.01 * i, 0.2] for i, v in enumerate(variants)})
    (campaign,) = Analysis(records).campaigns
    found = campaign.verdicts
    assert list(found) == [claim.id for claim in paper_claims()]
    assert json.loads(json.dumps([verdict.to_dict() for verdict in found.values()]))
    (gain,) = found["trsf-gains-1.24"].measured
    assert gain.published == pytest.approx(0.0124)
    assert gain.of == ("v1-trsf-relu", "v2-trsf-relu")
    assert found["scales-grow"].outcome != "not run"
    assert all(verdict.reason.endswith(".") for verdict in found.values())


def test_each_kind_of_rule_is_one_file_and_is_found_there():
    folder = Path(rules.__file__).parent
    for kind, rule in Rule.kinds.items():
        assert Path(inspect.getfile(rule)).parent == folder, kind
    assert len({inspect.getfile(rule) for rule in Rule.kinds.values()}) == len(Rule.kinds)
    assert {claim.rule["rule"] for claim in paper_claims()} <= Rule.kinds.keys()
    assert len(paper_rules()) == len(paper_claims())


def with_ratios(record, ends):
    """The record, with these ratios of branch over trunk by turns, from the start on."""
    table = record.parameters().astype({"value": float}) if record.has("parameters") else pd.DataFrame()
    epochs = sorted(set(table.get("epoch", [0, 1])))
    rows = [
        {"epoch": epoch, "kind": "ratio", "name": f"ratio.{i}", "channel": 0, "value": value}
        for epoch in (epochs[0], epochs[-1])
        for i, value in enumerate(np.resize(ends, 20))
    ]
    record.write_parameters([*table.to_dict("records"), *rows])
    return record


@pytest.mark.parametrize(
    ("trained", "outcome"),
    [((0.2,), "supported"), ((0.05,), "contradicted"), ((0.02, 0.02, 0.6), "inconclusive")],
)
def test_three_means_must_agree(tmp_path, trained, outcome):
    """In the last case the arithmetic mean is twice that of the constants, the median a fifth of it."""
    rule = paper_rules()["branches-matter-more"]
    means = Means(("v1-trsf-relu",), ("v1-relu",))
    rule = replace(rule, parts=tuple(replace(part, contrasts=(means,)) for part in rule.parts))
    records = []
    for setting, ends in {"v1-relu": (0.1,), "v1-trsf-relu": trained}.items():
        for seed in range(4):
            record = fake_run(tmp_path, setting, seed=seed)
            records.append(with_ratios(record, np.array(ends) * (1 + 0.01 * seed)))
    found = only(rule, records)
    assert found.outcome == outcome
    assert [m.name.split(":")[0] for m in found.measured] == ["geometric mean", "arithmetic mean", "median"]


def test_equal_values_are_no_proof(tmp_path):
    """Of three seeds with one value a p value of 0 was had for nothing; eight are a sign test."""
    level = Contrast(TAR, (Means(("v1-relu",)),), above=0.1)
    few = only(level, runs(tmp_path / "few", {"v1-relu": [0.2] * 3}))
    assert (few.outcome, few.p_value) == ("inconclusive", 0.25)
    many = only(level, runs(tmp_path / "many", {"v1-relu": [0.2] * 8}))
    assert (many.outcome, many.p_value) == ("supported", 2 * 0.5**8)


def test_a_mean_does_not_hide_opposites(tmp_path):
    """TRSF gains in v1 and loses as much in v2."""
    both = Contrast(TAR, (Means(("v1-trsf-relu", "v2-trsf-relu"), ("v1-relu", "v2-relu")),), above=0)
    seeds = [0.30, 0.31, 0.30, 0.32]
    tars = {"v1-relu": 0.0, "v1-trsf-relu": 0.1, "v2-relu": 0.1, "v2-trsf-relu": 0.0}
    records = runs(tmp_path / "a", {v: [tar + more for tar in seeds] for v, more in tars.items()})
    assert (
        "v1 and v2 disagree by more than chance explains (+10.0 points and −10.0 points"
        in only(both, records).note
    )
    unequal = {"v1-relu": 0.0, "v1-trsf-relu": 0.1, "v2-relu": 0.0, "v2-trsf-relu": 0.02}
    records = runs(tmp_path / "c", {v: [tar + more for tar in seeds] for v, more in unequal.items()})
    assert (
        "v1 and v2 differ by more than chance explains (+10.0 points and +2.0 points"
        in only(both, records).note
    )
    alike = {v: [tar + 0.1 * ("trsf" in v) for tar in seeds] for v in tars}
    assert not only(both, runs(tmp_path / "b", alike)).note


def test_an_interaction_counts_whole_and_is_not_split(tmp_path):
    """TRSF gains as much with ReLU as with PReLU; a split by activation would show a loss and a gain."""
    (rule,) = (rule for claim, rule in paper_rules().items() if claim == "parts-do-not-conflict")
    gains = {"relu": 0.0, "trsf-relu": 0.1, "prelu": 0.05, "trsf-prelu": 0.14}
    seeds = [0.30, 0.301, 0.30, 0.302]
    tars = {f"{v}-{of}": [tar + gain for tar in seeds] for v in ("v1", "v2") for of, gain in gains.items()}
    found = only(rule, runs(tmp_path, tars))
    assert not found.note
    (measured,) = found.measured
    assert measured.estimate == pytest.approx(0.14 - 0.1 - 0.05)
    assert measured.name == "gain by both − sum of the gains by each"


def test_what_stands_still_because_the_learning_rate_ended_has_not_settled(tmp_path):
    """The same change in the last epoch counts the more, the smaller the learning rate was."""
    (record,) = runs(tmp_path, {"v1-trsf-relu": [0.2]})
    history = record.history()
    quantity = QUANTITIES["scale_late_change"]
    record.write_history(history.assign(learning_rate=0.05).to_dict("records"))
    constant = Run(record).value(quantity)
    record.write_history(history.assign(learning_rate=[0.04, 0.03, 0.01, 0.0]).to_dict("records"))
    rates = [0.045, 0.035, 0.02, 0.005]
    assert Run(record).value(quantity) == pytest.approx(constant * np.mean(rates) / rates[-1])


def test_a_claim_on_several_comparisons_needs_power_for_all_of_them(tmp_path):
    records = runs(tmp_path, STEADY | {"v1-prelu": [0.30, 0.32, 0.30, 0.33]})
    means = [Means((v,), ("v1-relu",)) for v in ("v1-trsf-relu", "v1-prelu")]
    (one,) = only(Contrast(TAR, tuple(means[:1]), above=0), records).measured
    two, _ = only(Contrast(TAR, tuple(means), above=0), records).measured
    assert two.minimum_detectable > one.minimum_detectable


def test_means_that_must_agree_need_power_for_all_of_them(tmp_path):
    (part, *others) = paper_rules()["branches-matter-more"].parts
    means = Means(("v1-trsf-relu",), ("v1-relu",))
    one = replace(part, contrasts=(means,))
    three = Agreement((one, *(replace(other, contrasts=(means,)) for other in others)))
    records = [
        with_ratios(fake_run(tmp_path, setting, seed=seed), [ratio * (1 + 0.01 * seed)])
        for setting, ratio in (("v1-relu", 0.1), ("v1-trsf-relu", 0.2))
        for seed in range(4)
    ]
    (alone,) = only(one, records).measured
    among = only(three, records).measured[0]
    assert among.minimum_detectable > alone.minimum_detectable


def test_networks_with_other_constants_do_not_share_a_spread():
    """Records older than a setting lack it; it is then as if it were empty."""
    kinds = {
        "v1-relu": {},
        "v1-leaky-relu": {"fixed_scales": []},
        "v2-scales0.1-relu": {"fixed_scales": [0.1]},
    }
    made = {
        (variant, 0.05, seed): SimpleNamespace(
            config={"arch": "v1", **kind}, value=lambda quantity, seed=seed: 0.1 * seed
        )
        for variant, kind in kinds.items()
        for seed in range(3)
    }
    campaign = ComparableRuns("synthetic", None, {}, 0.05, made)
    old, new, other = campaign.spreads(list(kinds), QUANTITIES["ratio_median"])
    assert old is new is not other


def test_what_the_schedule_cannot_reach_is_out_of_reach(tmp_path):
    """The made-up scales end near 1, in runs whose decay budget could not have taken them there."""
    records = runs(tmp_path, {"v1-trsf-relu": [0.2] * 3})
    (campaign,) = Analysis(records).campaigns
    rule = {"a": Contrast(SCALES, (Means(("v1-trsf-relu",)),), above=0.5)}
    assert judge(rule, campaign)["a"].outcome == "supported"
    reach = Reach(decay_budget=Minimum(3.3, "Less decay cannot."), travel=Minimum(1.0, "Less travel cannot."))
    found = judge(rule, campaign, {"a": reach})["a"]
    assert (found.outcome, found.tested) == ("out of reach", False)
    assert found.reason.startswith("Decay budget 0.0")
    # The travel of these runs suffices.
    assert found.reason.endswith("; the paper's are 12.5 and 12,496. Less decay cannot.")
    assert judge(rule, campaign, {"a": Reach(decay_budget=Minimum(0.01, ""))})["a"].outcome == "supported"


def test_a_count_that_follows_from_our_choice_is_no_evidence(tmp_path):
    records = runs(tmp_path, {"v1-trsf-relu": [0.2]})
    rule = Count("scales", (("v1", "scales of v1"),), by_choice="We chose.")
    assert only(rule, records).outcome == "inconclusive"
    assert only(replace(rule, by_choice=None), records).outcome == "supported"
