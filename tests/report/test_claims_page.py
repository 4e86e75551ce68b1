"""The page on the claims says what the runs say about each, with few runs and with many."""

from __future__ import annotations

import re

import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import Analysis, load
from trsfnet.analysis.contrasts import Effect
from trsfnet.analysis.findings import Comparison, Measured, Outcome
from trsfnet.analysis.margins import margins
from trsfnet.analysis.quantities import QUANTITIES
from trsfnet.analysis.rules import paper_rules
from trsfnet.analysis.rules.contrast import Contrast, Means
from trsfnet.analysis.rules.measuring import Measuring
from trsfnet.analysis.units import Unit
from trsfnet.paper.claims import paper_claims
from trsfnet.report import claims
from trsfnet.report.display import Picture

BY_ID = {claim.id: claim for claim in paper_claims()}
GAIN = {"v1-relu": 0.2, "v1-trsf-relu": 0.3, "v1-prelu": 0.25, "v1-trsf-prelu": 0.4}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """One seed of two settings, and a record that cannot be read."""
    root = tmp_path_factory.mktemp("few")
    fake_run(root, "v1-relu")
    fake_run(root, "v1-trsf-relu")
    (fake_run(root, "v1-prelu", seed=3).path / "run.json").write_text("{damaged")
    return load(root)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Three seeds of both versions on one track; of one setting a run collapsed. One seed on the other."""
    root = tmp_path_factory.mktemp("many")
    for arch in ("v1", "v2"):
        for setting, tar in GAIN.items():
            for seed in range(3):
                collapsed = (arch, setting, seed) == ("v2", "v1-relu", 2)
                status = "collapsed" if collapsed else "done"
                name = setting.replace("v1", arch)
                fake_run(root, name, seed=seed, tar=tar + 0.001 * seed, status=status)
    for setting in GAIN:
        fake_run(root, setting, track="lfw")
    return load(root)


def shown(collection, subject):
    on_subject = claims.by_subject()[subject]
    return (
        str(claims.claims_table(subject, on_subject, collection)),
        str(claims.evidence(subject, on_subject, collection)),
    )


def row(table, words):
    (line,) = (line for line in table.splitlines() if words in line)
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_every_claim_has_one_subject_and_its_words_on_the_page(many):
    subjects = claims.by_subject()
    assert sorted(c.id for found in subjects.values() for c in found) == sorted(BY_ID)
    for subject, found in subjects.items():
        table = str(claims.claims_table(subject, found, many))
        details = str(claims.evidence(subject, found, many))
        for claim in found:
            assert f"(#claim-{claim.id})" in table, "the verdict leads to what is behind it"
            assert f"(claim-{claim.id})=" in details
            for quote in claim.quotes:
                assert f"“{quote.text}” ({quote.place})" in details


def test_verdicts_numbers_and_runs_stand_side_by_side(many):
    table, details = shown(many, "Accuracy")
    _, paper, synthetic, lfw = row(table, "TRSF and PReLU together are better than either alone")
    assert paper == "+0.56 to +1.37 points"
    assert re.search(r"supported\]\(#claim-joint-gains-further\)<br>\+10\.0 points", synthetic)
    assert "weakest of 4" in synthetic
    assert "inconclusive" in lfw
    part = details.split("(claim-joint-gains-further)=")[1].split("\n(claim-")[0]
    assert "| v1 + TRSF + PReLU − v1 + TRSF | +0.67 points |" in part
    assert len(set(re.findall(r"\(([^()]*v2-prelu-seed\d[^()]*/run\.json)\)", part))) == 3


def test_a_collapsed_run_is_named_where_it_counts(many):
    _, details = shown(many, "Accuracy")
    part = details.split("(claim-trsf-prelu-gains)=")[1].split("\n(claim-")[0]
    assert "/run.json) (collapsed)" in part
    counted = str(claims.campaigns_table(many))
    assert row(counted, "Rendered faces, short budget")[3:5] == ["24 of 54", "1"]


def test_without_runs_and_with_few_the_page_says_so(few):
    assert "damaged" in str(claims.campaigns_table(few))
    assert "No claim can be tested yet" in str(claims.forest(few))
    table, details = shown(few, "Accuracy")
    assert "1 finished seed to measure" in details
    assert row(table, "TRSF and PReLU together raise")[2].startswith("[–")
    none = Analysis([])
    table, details = shown(none, "Accuracy")
    assert "not run" in row(table, "TRSF raises the accuracy, on average over both")[2]
    assert "No run has ended" in details
    for made in (claims.outcomes, claims.forest, claims.campaigns_table, claims.verdict):
        assert len(str(made(none))) > 20


def test_figures_have_words(many):
    for figure in (claims.outcomes(many), claims.forest(many)):
        assert isinstance(figure, Picture)
        assert "Rendered faces, short budget: " in figure.caption
        assert len(figure.alt) > 40
    counts = many.campaigns[0].count(BY_ID)
    assert f"{counts['supported']} supported" in claims.outcomes(many).caption


def test_figures_count_the_claims_over_which_holm_corrects(many):
    """That no run collapses is tested, but has no minimum detectable effect to draw it by."""
    verdicts = many.campaigns[0].verdicts
    family = verdicts["trsf-gains"].family
    assert f"{family} claims tested statistically" in claims.outcomes(many).caption
    caption = claims.forest(many).caption
    said = re.search(
        r"Rendered faces, short budget: (\d+) claims tested, (\d+) of them on .*?; (\d+) drawn", caption
    )
    tested, against, drawn = map(int, said.groups())
    assert tested == family == sum(verdict.tested for verdict in verdicts.values())
    assert drawn == len(margins(many.campaigns[0])) < tested
    below = sum(margin.margin < 0 for margin in margins(many.campaigns[0]).values())
    assert against == below


def test_legends_explain_only_what_occurs(few, many):
    judged = {verdict.outcome for campaign in few.campaigns for verdict in campaign.verdicts.values()}
    drawn = {margin.outcome for campaign in many.campaigns for margin in margins(campaign).values()}
    assert Outcome.SUPPORTED in drawn - judged
    for figure, outcomes in ((claims.outcomes(few), judged), (claims.forest(many), drawn)):
        assert {outcome for outcome in Outcome if f">{outcome}</text>" in figure.svg} == outcomes


def test_without_a_script_the_key_explains_the_main_claims(many):
    text = str(claims.overview(many.campaigns))
    key, lines = text.split("<ul", 1)
    main = "".join(item for item in lines.split("<li ")[1:] if "data-main" in item.split(">")[0])
    explained = set(re.findall(r'<span data-outcome="([^"]+)">', key))
    assert explained == set(re.findall(r'data-outcome="([^"]+)"', main))
    assert Outcome.SUPPORTED not in explained
    assert f'data-outcome="{Outcome.SUPPORTED}"' in lines, "one of the other claims is supported"


def test_a_larger_budget_replaces_a_smaller_one_only_where_it_says_as_much(tmp_path):
    for setting in GAIN:
        fake_run(tmp_path, setting)
        fake_run(tmp_path, setting, epochs=3, image_size=75)
    extra = fake_run(tmp_path, "v1-leaky-relu", epochs=3, image_size=75)
    found = load(tmp_path)
    assert [campaign.budget for campaign in found.campaigns] == ["short", "quick"]
    about = ["trsf-prelu-gains", "joint-gains-further"]
    assert [campaign.budget for campaign in found.campaigns_on(about)] == ["short"]
    stability = ["no-crash", "small-start-stable"]
    fake_run(tmp_path, "v1-trsf-relu", scale_init=1.0, epochs=3, image_size=75)
    found = load(tmp_path)
    assert [campaign.budget for campaign in found.campaigns_on(stability)] == ["short", "quick"]
    assert extra.run_id in {run.run_id for run in found.campaigns[1].ordered}


def test_the_verdict_names_what_is_decided(many):
    text = str(claims.verdict(many))
    assert re.search(
        r"Rendered faces, short budget: \*\*supported\*\*: .*\(#claim-joint-gains-further\)", text
    )
    assert "- LFW, " in text


@pytest.mark.parametrize(
    ("claim", "paper"),
    [
        ("trsf-gains-1.24", "+1.24 points"),
        ("sensitive-to-start", "+1.60 points"),
        ("trsf-gains-with-arcface", "+0.84 points"),
        ("table-1", "93.40 to 95.90\u00a0%"),
        ("table-4", "0.954 to 1.029"),
        ("figure-9", "62 to 89"),
        ("slopes-turn-negative", "43.2 to 67.9\u00a0%"),
        ("counts-of-parameters", "22 and 55 million"),
        ("scales-settle", "–"),
    ],
)
def test_the_papers_own_numbers(claim, paper):
    assert paper_rules()[claim].published() == paper


def test_numbers_are_written_in_the_unit_of_what_is_measured():
    points = Unit(1, " points", 100, signed=True)
    assert points.text(-0.0123) == "−1.2 points"
    assert points.text(-1e-9) == "0.0 points"
    assert Unit(2, " times", logarithm=True).text(0.5) == "3.16 times"
    assert Unit(0).text(23467975) == "23,467,975"
    assert Means(("v1-prelu", "v2-prelu"), ("v1-relu", "v2-relu")).name() == (
        "mean of v1 + PReLU and v2 + PReLU − mean of v1 and v2"
    )
    assert Means(("v1-scale1-relu",)).name() == "v1, scale 1"


def test_the_weakest_comparison_is_nearest_to_failing(many):
    for claim, end in (("joint-gains-further", min), ("slopes-settle", max)):
        measured = many.campaigns[0].verdicts[claim].measured
        assert paper_rules()[claim].weakest(measured).estimate == end(m.estimate for m in measured)
    few, more = (Measured.at(Comparison("a", Effect(x, 0.1, 3, 3)), 0.05, 0.8) for x in (-0.3, -0.1))
    assert paper_rules()["large-constant-diverges"].weakest([few, more]) is more


def test_every_rule_of_the_paper_can_be_written():
    for rule in paper_rules().values():
        if isinstance(rule, Measuring) and rule.kind != "spread":
            assert re.search(r"is (above|below|within) \d", rule.describe())
    gain = Contrast(QUANTITIES["tar"], (Means(("v1-trsf-relu",), ("v1-relu",)),), above=0)
    assert gain.describe() == "the difference of TAR at FAR 1e-3 is above 0"
