"""Measure how long the README's commands take in a fresh clone without an environment.

`python -m benchmarks.commands` takes as long as the commands themselves. After each command, it writes
`results/commands.json`, which the book's first page shows.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from benchmarks import measure

ROOT = Path(__file__).parents[1]

# Commands run in this order, each in the state that the earlier ones leave. The steps that `make book` does
# in one go are listed separately.
COMMANDS = {
    "environment": "make setup",
    "tests": "make test",
    "runs": "make runs",
    "book": "make book",
    "one run": "papermill notebooks/train.ipynb runs/mine.ipynb -p trsf True -p seed 1",
}


def timed(command: str, folder: Path, environment: dict[str, str]) -> float:
    """Run `command` in `folder` and return the seconds it takes.

    Raises:
        subprocess.CalledProcessError: the command failed; the end of its output is shown.
    """
    started = time.perf_counter()
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout[-5000:], done.stderr[-5000:], sep="\n")
        done.check_returncode()
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "trsfnet")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        # The clone's own commands take precedence; no cached faces are used.
        others = environment["PATH"].replace(f"{ROOT / '.venv' / 'bin'}:", "")
        environment["PATH"] = f"{clone / '.venv' / 'bin'}:{others}"
        environment["TRSFNET_CACHE"] = f"{folder}/cache"
        seconds: dict[str, float] = {}
        for name, command in tqdm(COMMANDS.items(), "commands", unit="command", disable=None):
            seconds[name] = timed(command, clone, environment)
            measure.save("commands", {"commands": COMMANDS, "seconds": seconds})


if __name__ == "__main__":
    main()
