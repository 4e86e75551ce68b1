"""Compare the golden runs with their committed values, or write these anew.

`python -m tests.golden` prints what each case gives; `--write` replaces the committed values, after a change
of the arithmetic that was meant. Raise `RESULTS_VERSION` with it.
"""

from __future__ import annotations

import argparse

import torch

from tests.golden.cases import CASES, start, trained
from tests.golden.observe import digest, machine, numbers, read, worst, write


def main() -> None:
    """Run every case, in one thread."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the committed values")
    replacing = parser.parse_args().write
    torch.set_num_threads(1)
    digests = {case: digest(trained(case)) for case in CASES}
    found = {
        case: numbers(start(case, dtype=torch.float64), trained(case, dtype=torch.float64)) for case in CASES
    }
    if replacing:
        write({"numbers": found, "digests": {machine(): digests}})
        return
    committed = read()
    for case in CASES:
        same = committed["digests"].get(machine(), {}).get(case) == digests[case]
        difference = max(worst(found[case], committed["numbers"][case]).values())
        print(f"{case}: {'the same' if same else 'other'} bits in float32, {difference:.0e} in float64")


if __name__ == "__main__":
    main()
