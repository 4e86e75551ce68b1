"""The long search for files that break a reader: `python -m tests.fuzz recordio --seconds 600`.

It is guided by coverage and needs atheris, which is no dependency of the project: `.venv/bin/pip install
atheris`. The readers, and what is asked of them, stand in `tests/targets.py`. Inputs that reached new
code stay in `_build/fuzz/<target>`, from where the next run goes on. A file that breaks the reader is written
to `_build/fuzz/findings`; `python -m tests.fuzz recordio FILE` tries it again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import atheris

# Nothing may be remembered of one file when the next is read.
os.environ["TRSFNET_CACHE"] = "/dev/null"
os.environ["TQDM_DISABLE"] = "1"

with atheris.instrument_imports(include=["trsfnet", "pickle", "PIL"]):
    from tests.targets import TARGETS

BUILD = Path(__file__).parents[1] / "_build" / "fuzz"


def main() -> None:
    """Search until the time is over or something is found; libFuzzer ends the process with its figures."""
    parser = argparse.ArgumentParser(description="Look for files that break a reader.")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("files", nargs="*", type=Path, help="try these and nothing else")
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    target = TARGETS[given.target]
    corpus, findings = BUILD / given.target, BUILD / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")
    scratch = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))
    for i, seed in enumerate(target.seeds()):
        (corpus / f"seed-{i}").write_bytes(seed)
    options = [f"-max_total_time={given.seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096"]
    options += [f"-artifact_prefix={findings}/{given.target}-", "-print_final_stats=1"]
    inputs = given.files or [corpus]
    atheris.Setup([sys.argv[0], *options, *map(str, inputs)], lambda data: target.survives(data, scratch))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
