"""The Snakefile: what it plans, how it says so, and that a killed pipeline goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from snakemake.cli import main

from trsfnet.data.tracks import data_root
from trsfnet.experiments import pipeline
from trsfnet.experiments.pipeline import code_version
from trsfnet.experiments.record import SCHEMA, RunFolder, read_record
from trsfnet.experiments.stale import RESULTS_VERSION
from trsfnet.experiments.studies import planned_runs

ROOT = Path(__file__).parents[1]
TWO_RUNS = {"budget": "smoke", "exhibit": "figure 9"}


@pytest.fixture
def dry_run(tmp_path, monkeypatch, capfd):
    """`dry_run("--config", "budget=smoke")`: exit code and output of `snakemake -n` in an empty folder."""

    def run(*arguments: str) -> tuple[object, str]:
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as exit_:
            main(["-n", "--cores", "2", "--directory", str(tmp_path), *arguments])
        output = "".join(capfd.readouterr())
        # With a sentence instead of a number Python prints it and exits with 1.
        return (
            (1, output + exit_.value.code)
            if isinstance(exit_.value.code, str)
            else (exit_.value.code, output)
        )

    return run


def as_options(options: dict[str, str]) -> list[str]:
    return ["--config", *(f"{name}={value}" for name, value in options.items())]


def two_runs(root: Path) -> dict[Path, object]:
    return {root / "runs" / track / run: c for (track, run), c in planned_runs(TWO_RUNS, data_root()).items()}


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ({}, 18),
        ({"budget": "full", "seeds": "0,1"}, 36),
        ({"budget": "smoke", "exhibit": "table 1"}, 6),
        ({"study": "stability", "budget": "smoke"}, 12),
        ({**TWO_RUNS, "precision": "bfloat16"}, 2),
    ],
)
def test_every_run_is_planned_with_its_reason(dry_run, options, runs):
    code, output = dry_run(*as_options(options))
    assert code == 0
    assert output.count(" is not trained yet") == runs


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_the_profiles_of_clusters_plan_the_same(dry_run, profile):
    pytest.importorskip(f"snakemake_executor_plugin_{profile}", reason="the extra `cluster` is not installed")
    code, output = dry_run("--profile", str(ROOT / "profiles" / profile), *as_options(TWO_RUNS))
    assert code == 0
    assert output.count(" is not trained yet") == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"budget": "tiny"}, "budget must be one of"),
        ({"seeds": "one"}, "seeds must be whole numbers such as 0,1,2, got 'one'."),
        ({"tables": "1"}, "option must be one of"),
        ({"precision": "half"}, "precision must be one of"),
        ({"budget": "paper"}, "an estimated"),
    ],
)
def test_a_wrong_option_is_one_sentence(dry_run, monkeypatch, options, sentence):
    monkeypatch.delenv("TRSFNET_DATA", raising=False)
    code, output = dry_run(*as_options(options))
    assert code == 1
    assert sentence in output
    assert "Traceback" not in output
    assert "File" not in output


def finish(path: Path, config: object, **changes: object) -> None:
    """Make the folder of a run look as the pipeline leaves it."""
    info = {"schema": SCHEMA, "status": "done", "run_id": path.name, "track": "synthetic", "seed": 0}
    info |= {"config": {"epochs": 2, "track": "synthetic", "seed": 0}, "metrics": {}}
    info |= {"results_version": RESULTS_VERSION}
    RunFolder(path, info | changes).write_info()
    (path / f".finished-{code_version(ROOT / 'notebooks' / 'train.ipynb')}").touch()


def test_finished_runs_are_left_alone_whatever_is_touched(dry_run, tmp_path):
    for path, config in two_runs(tmp_path).items():
        finish(path, config)
        os.utime(path / "run.json", (0, 0))
    code, output = dry_run(*as_options(TWO_RUNS))
    assert code == 0
    assert "Nothing to be done" in output


def test_a_change_of_arithmetic_is_the_reason_of_a_rerun(dry_run, tmp_path, monkeypatch):
    for path, config in two_runs(tmp_path).items():
        finish(path, config, results_version=1)
    monkeypatch.setattr(pipeline, "RESULTS_VERSION", 3)
    code, output = dry_run(*as_options(TWO_RUNS))
    assert code == 0
    assert output.count("is retrained because its results version is 1") == 2


def test_a_killed_pipeline_goes_on_and_repeats_nothing(tmp_path):
    """In a copy of the project, whose path needs quoting, so that edits of the tree do not count."""
    project = tmp_path / "it's a & b"
    for name in ("trsfnet", "profiles"):
        shutil.copytree(ROOT / name, project / name)
    (project / "notebooks").mkdir()
    for name in ("Snakefile", "notebooks/train.ipynb"):
        shutil.copy(ROOT / name, project / name)
    paths = list(two_runs(project))

    process = start(project)
    try:
        wait_for(process, lambda: any(map(is_done, paths)) and any(map(is_half_way, paths)))
    finally:
        kill(process)
    (first,) = (path for path in paths if is_done(path))
    (second,) = (path for path in paths if is_half_way(path))
    kept = (first / "run.json").read_bytes()

    output = start(project).communicate(timeout=300)[0]
    assert f"{second.name} resumes after epoch 1 of 2" in output
    assert "2 runs: 2 done" in output
    assert (first / "run.json").read_bytes() == kept
    assert read_record(second).info["hardware"]["threads"] == 1
    assert [row.epoch for row in read_record(second).history().itertuples()] == [1, 2]
    assert all((path / "train.ipynb").exists() for path in paths)
    assert not list(project.glob("runs/*/*/earlier"))


def start(project: Path) -> subprocess.Popen[str]:
    """`snakemake` in `project`, one run after the other."""
    # Whatever this process was given, Snakemake is to see to the number of threads.
    environment = os.environ | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *as_options(TWO_RUNS)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=project, env=environment, text=True, start_new_session=True, **pipes)


def kill(process: subprocess.Popen[str]) -> None:
    """End everything that it started, as a power cut would."""
    everything = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for each in everything:
        each.send_signal(signal.SIGKILL)
    psutil.wait_procs(everything, timeout=30)
    process.communicate()


def wait_for(process: subprocess.Popen[str], condition) -> None:
    for _ in range(3000):
        if condition():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    raise AssertionError("the pipeline did not get so far in five minutes")


def is_done(path: Path) -> bool:
    return status(path) == "done"


def is_half_way(path: Path) -> bool:
    return status(path) == "running" and pipeline.epochs_done(path) == 1


def status(path: Path) -> str:
    return read_record(path).status if (path / "run.json").exists() else "missing"
