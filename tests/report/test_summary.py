"""`results/README.md` says what the committed records say."""

from __future__ import annotations

import re

from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.paper.claims import paper_claims
from trsfnet.report.claims.questions import QUESTIONS
from trsfnet.report.summary import PICTURE, README, RESULTS, generated, picture, with_answer


def test_the_readme_is_that_of_the_records(committed):
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert text == generated(committed), "run: python -m trsfnet.report.summary"
    assert (RESULTS / PICTURE).read_text(encoding="utf-8") == picture(committed)
    readme = README.read_text(encoding="utf-8")
    assert readme == with_answer(readme, committed), "run: python -m trsfnet.report.summary"


def test_it_names_claims_that_exist():
    assert {id_ for ids in QUESTIONS.values() for id_ in ids} <= {claim.id for claim in paper_claims()}


def test_nothing_was_run(tmp_path):
    text = generated(load(tmp_path))
    assert "No run has ended yet." in text
    assert "54 of the 54 claims are not run, or are out of reach, in all these runs." in text


def test_it_lists_contradictions_and_limits(tmp_path):
    """A loss by TRSF, a collapse, and a track with a single seed."""
    for setting, tar in {"v1-relu": 0.4, "v1-trsf-relu": 0.3, "v1-prelu": 0.4, "v1-trsf-prelu": 0.2}.items():
        for seed in range(3):
            fake_run(tmp_path, setting, seed=seed, tar=tar + 0.001 * seed)
    fake_run(tmp_path, "v1-trsf-prelu", seed=3, status="collapsed")
    fake_run(tmp_path, "v1-relu", track="lfw")
    fake_run(tmp_path, "v1-trsf-prelu", track="lfw")
    (fake_run(tmp_path, "v1-relu", seed=9).path / "run.json").write_text("{")
    text = generated(load(tmp_path))
    assert "1 record cannot be read." in text
    limits = text.split("## Contradictions and limits")[1].split("## ")[0]
    assert (
        "Rendered faces, short budget, contradicted: “TRSF and PReLU together are better than either alone"
        in limits
    )
    assert "1 of 13 runs collapsed, at the learning rate 0.05: 1 of 4 of v1 + TRSF + PReLU." in limits
    assert re.search(r"LFW, \w+ budget: the variants have fewer than 3 seeds", limits)
    assert "Rendered faces, short budget: 13 runs of 4 variants, 3 finished runs of each." in text
