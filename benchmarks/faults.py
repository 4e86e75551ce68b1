"""Test full disks, read-only folders, low memory, clock jumps and concurrent runs.

`python -m benchmarks.faults` writes `results/faults.json`. The tests use the same code.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.kill_trials.commands import WORKS
from benchmarks.kill_trials.faults import run
from benchmarks.measure import RESULTS, command_parser, save


def main() -> None:
    """Try all faults and save the figures."""
    parser = command_parser(__doc__)
    parser.add_argument("--times", type=int, default=20, help="how often each, on each work")
    parser.add_argument("--only", nargs="*", choices=WORKS, default=list(WORKS), help="these works alone")
    options = parser.parse_args()
    file = RESULTS / "faults.json"
    works: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["works"] if file.exists() else {}
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            works[name] = run(name, Path(folder, "work"), options.times)
        print(name, works[name], flush=True)
        save("faults", {"works": works})


if __name__ == "__main__":
    main()
