"""The page on the idea: the library's code next to the paper's equations, and related methods."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import trsfnet
from trsfnet.experiments.commands import papermill_parameters
from trsfnet.experiments.variants import STABILITY, Variant
from trsfnet.models.inception_resnet import PAPER_SCALE
from trsfnet.paper.numbers import paper_quantities
from trsfnet.report.architecture import Network
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.text import joined


def source(function: Callable[..., Any]) -> Markdown:
    """Show the source code of a function or method without its docstring."""
    text = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    first = definition.body[0]
    kept = text.splitlines()
    if inspect.getdoc(function):
        del kept[first.lineno - 1 : first.end_lineno]
    return _code(function, "\n".join(kept))


def lines(function: Callable[..., Any], *words: str) -> Markdown:
    """Show the lines of a function that contain any of `words`, in the order of the words.

    Raises:
        ValueError: one of the words occurs in no line of the function.
    """
    found = []
    for word in words:
        holding = [line for line in inspect.getsource(function).splitlines() if word in line]
        if not holding:
            raise ValueError(f"No line of {function.__qualname__} has {word!r}.")
        found += holding
    return _code(function, "\n".join(line.strip() for line in found))


def _code(function: Callable[..., Any], text: str) -> Markdown:
    file = Path(inspect.getfile(function)).relative_to(Path(trsfnet.__file__).parents[1]).as_posix()
    return Markdown(f"`{function.__qualname__}` in `{file}`:\n\n```python\n{text.rstrip()}\n```")


def relatives() -> Markdown:
    """Tabulate the stability study's settings with the method that each corresponds to and its options."""
    rows = [(_whose(setting), _options(setting)) for setting in STABILITY]
    caption = "Settings of the stability study, and the proposal that each corresponds to."
    body = table(("Idea", "Options of `notebooks/train.ipynb`"), rows)
    return Markdown(captioned(caption, "idea-relatives", body))


def _whose(setting: Variant) -> str:
    if not setting.trsf:
        if setting.scale_init is None:
            return "Constants, as in facenet"
        return "One constant, as in Szegedy et al." if setting.scale_init < 1 else "No scaling"
    start = PAPER_SCALE if setting.scale_init is None else setting.scale_init
    if setting.trsf_per_channel:
        return "LayerScale" if 0 < start <= PAPER_SCALE else f"LayerScale from {start:g}"
    if start == 0:
        return "The initial value of SkipInit and ReZero, but with batch norm"
    return "TRSF" if start == PAPER_SCALE else f"TRSF from {start:g}"


def _options(setting: Variant) -> str:
    words = papermill_parameters(setting.config())
    triples = [" ".join(words[i : i + 3]) for i in range(0, len(words), 3)]
    return " ".join(f"`{option}`" for option in triples) or "none: these are the defaults"


def verdict(networks: Sequence[Network]) -> Markdown:
    """Compare the paper's counts of scales and slopes with those of the networks."""
    paper = paper_quantities()
    agree, differ = [], []
    for kind in ("scales", "slopes"):
        for network in networks:
            counted = len(getattr(network.model, kind)())
            said = paper[f"{kind} of {network.version}"].value
            words = f"{counted} {kind} in {network.version}"
            agree.append(words) if counted == said else differ.append(f"{words} (paper: {said})")
    parts = [f"As in the paper, there are {joined(agree)}."] if agree else []
    parts += [f"Unlike in the paper, there are {joined(differ)}."] if differ else []
    return Markdown(" ".join(parts))
