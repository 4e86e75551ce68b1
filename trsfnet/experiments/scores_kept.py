"""Which scores a merge keeps. In a module of its own, so that `--help` need not wait for pandas."""

from __future__ import annotations

from typing import Literal

ScoresKept = Literal["first", "all", "none"]
"""`first` keeps the scores of the first seed among runs that differ only in the seed, which suffices to check
a study's numbers; `all` keeps those of all runs; `none` keeps none."""
