"""The first page answers the paper's questions by the verdicts on its claims."""

from __future__ import annotations

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.report import landing
from trsfnet.report.claims.questions import QUESTIONS


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
    assert "(`synthetic`, full, 48 of 54 runs): supported: “Does TRSF raise the accuracy?”" in answer
    (row,) = (line for line in table.splitlines() if "Does TRSF raise" in line)
    assert "[✓\u00a0supported](#claim-trsf-gains): +40.0 points" in row
    given = table.count("✓"), table.count("✗")
    assert f"our runs answer {given[0]} as it does, {given[1]} against it" in answer
    assert given[0] >= 1
    mostly_open = 2 * sum(given) < len(QUESTIONS)
    assert answer.startswith("**Mostly open." if mostly_open else ("**In part", "**As far as"))
