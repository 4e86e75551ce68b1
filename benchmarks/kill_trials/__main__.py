"""Kill the tasks that write files a thousand times in total, and save the figures.

`python -m benchmarks.kill_trials` continues where it was stopped, and writes `results/kill_trials.json` as it
goes. `--only NAME` runs one task only. The tests use the same code.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tqdm import tqdm

from benchmarks.kill_trials import commands, trainings
from benchmarks.kill_trials.harness import Trials
from benchmarks.measure import RESULTS, command_parser, save

MODULES = {name: module.__name__ for module in (commands, trainings) for name in module.WORKS}
# Number of kills of each task: fewer if a start takes longer.
KILLS = {
    **{"checkpoint": 240, "align": 220, "pack": 200, "merge": 190, "embed": 100},
    **{"training": 40, "two processes": 15, "pipeline": 6, "compiled": 5},
}
AT_ONCE = 10
_FILE = RESULTS / "kill_trials.json"


def main() -> None:
    """Alternate between the tasks, a few kills of each at a time."""
    parser = command_parser(__doc__)
    parser.add_argument("--only", nargs="*", choices=KILLS, default=list(KILLS), help="these alone")
    options = parser.parse_args()
    works = json.loads(_FILE.read_text(encoding="utf-8"))["works"] if _FILE.exists() else {}
    missing = {name: KILLS[name] - works.get(name, {}).get("kills", 0) for name in options.only}
    with tempfile.TemporaryDirectory() as folder, tqdm(total=sum(missing.values()), unit="kill") as bar:
        trials: dict[str, Trials] = {}
        while name := max(missing, key=lambda name: missing[name] / KILLS[name]):
            if missing[name] <= 0:
                break
            figures = works.setdefault(name, {})
            try:
                if name not in trials:
                    trials[name] = Trials(MODULES[name], name, Path(folder, name))
                found = trials[name].one(figures.get("times", 0), min(AT_ONCE, missing[name]))
            except RuntimeError as error:  # a finding; the other tasks continue
                tqdm.write(str(error))
                figures["failed"] = figures.get("failed", 0) + 1
                missing[name] = 0
                continue
            for column, value in found.items():
                figures[column] = figures.get(column, 0) + value
            missing[name] -= found["kills"]
            bar.update(found["kills"])
            save("kill_trials", {"works": {name: works[name] for name in KILLS if name in works}})


if __name__ == "__main__":
    main()
