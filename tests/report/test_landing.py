"""The first page answers the paper's questions by the verdicts on its claims."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import zip_longest
from types import SimpleNamespace

import pytest

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.analysis.findings import Outcome
from trsfnet.analysis.mechanism import Answer
from trsfnet.analysis.reach import paper_regime
from trsfnet.analysis.rules import paper_rules
from trsfnet.evaluation.statistics import Interval
from trsfnet.report import landing
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.training.budget import Regime

YES, NO, OPEN = Outcome.SUPPORTED, Outcome.CONTRADICTED, Outcome.INCONCLUSIVE


def test_the_answer_counts_the_verdicts(tmp_path):
    """TRSF gains in both versions; scales end near 1, as made up; nothing else is settled."""
    for arch in ("v1", "v2"):
        for trsf in ("", "-trsf"):
            for activation in ("relu", "leaky-relu", "prelu"):
                for seed in range(4):
                    tar = (0.6 if trsf else 0.2) + 0.001 * seed
                    fake_run(tmp_path, f"{arch}{trsf}-{activation}", seed=seed, tar=tar)
    campaigns = landing.campaigns_on_questions(load(tmp_path))
    answer, table = str(landing.answer(campaigns)), str(landing.questions(campaigns))
    (row,) = (line for line in table.splitlines() if "Does TRSF raise" in line)
    assert "+40.0 points" in row
    assert row.endswith("| [✓\u00a0supported](#claim-trsf-gains) |")
    given = table.count("✓"), table.count("✗")
    assert f"our runs support {given[0]}, contradict {given[1] or 'none'} and leave" in answer
    assert given[0] >= 1
    assert answer.startswith("- **Accuracy.** With weaker decay than the paper's, TRSF")
    assert "that the branches matter more. This remains open." in answer
    assert len(QUESTIONS) == len([line for line in table.splitlines() if line.startswith("| **")])


@pytest.mark.parametrize(
    ("long", "short", "sentence"),
    [
        (
            (OPEN, OPEN),
            (YES, YES),
            "At the paper's decay budget on rendered faces, it remains open whether TRSF and leaky or "
            "learned slopes raise accuracy. With weaker decay on LFW, both do.",
        ),
        (
            (OPEN, YES),
            (NO, OPEN),
            "At the paper's decay budget on rendered faces, leaky or learned slopes do raise accuracy, and "
            "it remains open whether TRSF does. With weaker decay on LFW, TRSF does not raise accuracy, and "
            "it remains open whether leaky or learned slopes raise accuracy.",
        ),
        (
            (YES, YES),
            (YES, YES),
            "At the paper's decay budget as with weaker decay, TRSF and leaky or learned slopes do raise "
            "accuracy.",
        ),
        (
            (YES, OPEN),
            None,
            "At the paper's decay budget, TRSF does raise accuracy, and it remains open whether leaky or "
            "learned slopes do.",
        ),
    ],
)
def test_the_answer_keeps_weak_decay_apart(long, short, sentence):
    campaigns = [decided(paper_regime(), *long)]
    if short:
        regime = replace(paper_regime(), travel=62.0, decay_budget=0.06)
        campaigns.append(decided(regime, *short, track="lfw"))
    assert landing.findings(campaigns).startswith(f"- **Accuracy.** {sentence} These runs have at most")


def test_tracks_that_disagree_are_named():
    campaigns = [decided(paper_regime(), OPEN, OPEN), decided(paper_regime(), YES, OPEN, track="lfw")]
    assert (
        "At the paper's decay budget on rendered faces, it remains open whether TRSF and leaky or learned "
        "slopes raise accuracy. At the paper's decay budget on LFW, TRSF does raise accuracy, and it remains "
        "open whether leaky or learned slopes do."
    ) in landing.findings(campaigns)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(YES, "on rendered faces, this is supported."), (NO, "on rendered faces, this is contradicted.")],
)
def test_the_answer_states_the_role_of_the_branches_at_equal_decay(outcome, words):
    assert words in landing.findings([decided(paper_regime(), YES, YES, outcome)])
    on_lfw = decided(paper_regime(), YES, YES, OPEN, track="lfw")
    both = landing.findings([decided(paper_regime(), YES, YES, outcome), on_lfw])
    assert words in both
    assert " On LFW, this is inconclusive." in both
    short = replace(paper_regime(), decay_budget=0.06)
    assert words not in landing.findings([decided(short, YES, YES, outcome)])


def test_what_is_exploratory_is_marked():
    older = ("both-activations-gain", "branches-matter-more")
    answer = landing.findings([decided(paper_regime(), OPEN, YES, YES, older=older)])
    assert "slopes do raise accuracy (exploratory), and it remains open whether TRSF does." in answer
    assert "on rendered faces, this is supported (exploratory)." in answer


def test_the_gain_is_compared_between_decays_if_all_else_is_equal():
    strong = decided(paper_regime(), OPEN, OPEN, track="lfw")
    weak = decided(replace(paper_regime(), decay_budget=0.39), YES, YES, track="lfw")
    for campaign, tar, gain in ((strong, 0.5, 0.02), (weak, 0.2, 0.12)):
        campaign.values = lambda variant, quantity, tar=tar: {0: tar, 1: tar}
        means = paper_rules()["trsf-gains"].contrasts[0]
        campaign.verdicts["trsf-gains"].measured = (SimpleNamespace(of=means.of, than=means.than),)
        interval = Interval(gain, gain - 0.1, gain + 0.1)
        effect = SimpleNamespace(estimate=gain, interval=interval, minimum_detectable=lambda alpha: None)
        campaign.effect = lambda *_, effect=effect: effect
    answer = landing.findings([strong, weak]).replace("\u00a0", " ")
    assert (
        "On LFW, v1 has a TAR of 20.0 % with weaker decay and 50.0 % at the paper's decay budget; the mean "
        "gain from TRSF over both versions, in log odds, is +0.12 (+0.02 to +0.22) and +0.02 (−0.08 to "
        "+0.12), respectively."
    ) in answer
    weak.regime = replace(weak.regime, steps=10)
    assert "log odds" not in landing.findings([strong, weak]), "they differ in length as well"


def test_contradicted_claims_are_listed_even_if_they_answer_no_main_question(tmp_path):
    for arch in ("v1", "v2"):
        for scale in ("", "-trsf"):
            for activation, tar in (("relu", 0.2), ("leaky-relu", 0.6), ("prelu", 0.3)):
                for seed in range(4):
                    fake_run(tmp_path, f"{arch}{scale}-{activation}", seed=seed, tar=tar + 0.001 * seed)
    answer = str(landing.answer(landing.campaigns_on_questions(load(tmp_path))))
    listed = answer.split("further claims are contradicted: ")[1]
    assert "“Learned slopes give better accuracy than fixed ones" in listed


def decided(
    regime: Regime, *outcomes: Outcome, track: str = "synthetic", older: Collection[str] = ()
) -> SimpleNamespace:
    """A campaign with these outcomes for TRSF, for the slopes and for the role of the branches.

    Its runs are older than the rules of the claims `older`.
    """
    claims = ("trsf-gains", "both-activations-gain", "branches-matter-more")
    verdicts = {
        claim: SimpleNamespace(outcome=each, measured=(), tested=True, family=1)
        for claim, each in zip_longest(claims, outcomes, fillvalue=OPEN)
    }
    return SimpleNamespace(
        track=track,
        regime=regime,
        verdicts=verdicts,
        decides=lambda claims: True,
        of=lambda variant: {},
        values=lambda variant, quantity: {0: 0.5},
        exploratory=lambda claim: claim in older,
    )


@pytest.mark.parametrize(
    ("growth", "branches", "words"),
    [
        (True, True, "Their size alone does not show it"),
        (True, False, "as the paper's explanation requires"),
        (True, None, "This remains open"),
        (False, True, "it makes them smaller"),
        (False, False, "it makes them smaller"),
        (None, True, "This remains open"),
    ],
)
def test_the_study_on_weight_decay_decides_the_explanation(tmp_path, growth, branches, words):
    fake_run(tmp_path, "v1-relu")
    analysis = load(tmp_path)
    campaigns = landing.campaigns_on_questions(analysis) or analysis.campaigns
    effect = {"scale": Interval(2.0, 1.5, 2.5)}
    analysis.answers = [Answer("growth", growth, effect, 3), Answer("branches", branches, effect, 3)]
    assert words in str(landing.answer(campaigns, analysis))
