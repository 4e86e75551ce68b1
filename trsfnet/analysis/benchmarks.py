"""Results of the benchmarks; available only in a checkout of the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def measured(name: str) -> dict[str, Any] | None:
    """Return the result of `benchmarks.<name>`, or None if there is none, as outside a checkout."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def cases_of(result: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the cases of a result by their title; empty if there is no result."""
    return {case["title"]: case for case in result["cases"]} if result else {}
