"""A setting's runs in the study share a page, on which each has its row, and links lead there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.report.fakes import drawn_figure, fake_run, study_run
from tests.report.test_cards import written
from trsfnet.analysis.run import Run
from trsfnet.experiments.record import Record
from trsfnet.report.card_links import anchor, card_link, page_link

PAGE = "stability-v1-trsf-relu.md"


def page(*records: Record, pages: tuple[str, ...] = ()) -> str:
    texts = written(*records, pages=pages)
    assert set(texts) == {PAGE}
    return texts[PAGE]


def row(text: str, record: Record) -> str:
    """The row of a run, as words."""
    found = re.findall(rf'<tr id="{re.escape(anchor(Run(record)))}">(.*?)</tr>', text, re.DOTALL)
    assert len(found) == 1
    return re.sub(r"<[^>]+>", " ", found[0])


def test_every_run_has_a_row_with_all_that_tells_it_apart(tmp_path):
    runs = [study_run(tmp_path, rate=rate, seed=seed) for rate in (0.3, 0.05) for seed in range(2)]
    text = page(*runs, pages=("stability",))
    assert text.startswith("---\norphan: true\nnosearch: true\n---\n")
    assert "[stability study](../../stability.ipynb)" in text
    assert "**4 runs, 4 trained.**" in text
    for run in runs:
        words = row(text, run)
        for part in (f"{run.config['learning_rate']:g}", str(run.seed), "done", "20.0", "5 min"):
            assert part in words
        assert run.info["command"] in words
        folder = os.path.relpath(run.path, tmp_path / "cards").replace(os.sep, "/")
        assert f"{{download}}`run.json <{folder}/run.json>`" in text
    places = [text.index(run.run_id) for run in (runs[2], runs[3], runs[0], runs[1])]
    assert places == sorted(places), "by learning rate, then seed"


def test_what_all_runs_share_is_said_once_and_what_differs_with_its_runs(tmp_path):
    runs = [study_run(tmp_path, seed=seed) for seed in range(2)]
    runs += [study_run(tmp_path, seed=2, info={"results_version": 1, "source_hash": "0123456789abcdef"})]
    runs[2].write_info(hardware={"cpu": "another"})
    text = page(*runs)
    assert text.count("<dt>epochs</dt><dd>8</dd>") == 1
    assert "<dt>learning_rate</dt>" not in text
    assert "- cpu: unknown (rate 0.2, seed 0; rate 0.2, seed 1); another (rate 0.2, seed 2)" in text
    assert "Of rate 0.2, seed 2: Made by version unknown, code `0123456789abcdef`" in text
    assert "made by earlier code" in row(text, runs[2])
    assert "made by earlier code" not in row(text, runs[0])


def test_the_figure_shows_each_rate_and_says_in_numbers_how_it_went(tmp_path):
    runs = [study_run(tmp_path, seed=seed) for seed in range(2)]
    runs.append(study_run(tmp_path, rate=0.3, status="collapsed"))
    text = page(*runs)
    drawing = drawn_figure(text)
    for words in ("Rate 0.2", "Rate 0.3", "Training loss (nats)", "Epoch", "collapsed", "trained"):
        assert f">{words}<" in drawing
    assert "not ended" not in drawing
    caption = text.split("<figcaption>")[1].split("</figcaption>")[0]
    finding = "Trained: 2 of 2 at rate 0.2 and 0 of 1 at rate 0.3."
    assert finding in caption
    assert finding in text.split('aria-label="Inception-ResNet v1 + TRSF')[1].split(">")[0]


def test_a_run_that_ended_early_says_how(tmp_path):
    collapsed = study_run(tmp_path, status="collapsed")
    running = study_run(tmp_path, seed=1, status="running")
    failed = study_run(tmp_path, seed=2, status="failed", info={"message": "Killed by <b>someone</b>."})
    (failed.path / "history.csv").unlink()
    text = page(collapsed, running, failed)
    assert "1 collapsed, 1 not ended and 1 failed for another reason" in text
    assert "collapsed: The loss became nan at step 7." in row(text, collapsed)
    assert "running, 4 of 8 epochs done" in row(text, running)
    assert "Killed by &lt;b&gt;someone&lt;/b&gt;." in row(text, failed)
    assert "Without a curve: 1 run that finished no epoch." in text
    assert "No run has finished an epoch" in page_of_nothing(tmp_path / "other")


def page_of_nothing(root: Path) -> str:
    run = study_run(root, status="running")
    (run.path / "history.csv").unlink()
    return page(run)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("history.csv", "epoch,nothing\n1,2\n"),
        ("parameters.parquet", "PAR1 no such thing"),
        ("run.json", None),
    ],
)
def test_a_damaged_record_is_shown_in_its_place(tmp_path, name, content):
    sound, harmed = study_run(tmp_path, seed=1), study_run(tmp_path, seed=0)
    if content is None:
        info = json.loads((harmed.path / name).read_text())
        del info["data"], info["config"]["learning_rate"]
        content = json.dumps(info | {"metrics": {}})
    (harmed.path / name).write_text(content)
    text = page(sound, harmed)
    assert "**2 runs, 1 trained and 1 cannot be shown.**" in text
    assert re.search(
        r"The (parameters of the )?run record \S+ (is damaged|are damaged|cannot be shown)", row(text, harmed)
    )
    assert "done" in row(text, sound)
    assert "cannot be shown" in page(harmed), "alone, too"


def test_a_record_that_cannot_tell_its_study_has_a_page_of_its_own(tmp_path):
    sound, harmed = study_run(tmp_path), study_run(tmp_path, seed=1)
    (harmed.path / "run.json").write_text("{half")
    texts = written(sound, harmed)
    assert set(texts) == {PAGE, f"{harmed.run_id}.md"}
    assert "is damaged" in texts[f"{harmed.run_id}.md"]


def test_links_lead_to_the_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small, usual = study_run(Path("results")), fake_run(Path("results"), "v1-trsf-relu")
    assert card_link(Run(small), "0").endswith(f"{small.run_id}/run.json)"), "no cards are made"
    Path("runs", "synthetic").mkdir(parents=True)
    assert card_link(Run(small), "0") == f"[0](runs/synthetic/{PAGE}#run-{small.run_id})"
    assert page_link(Run(small), "all") == f"[all](runs/synthetic/{PAGE})"
    assert card_link(Run(usual), "0") == f"[0](runs/synthetic/{usual.run_id}.md)"
