"""What a user sets of a run by name: papermill's parameters, and `trsfnet train -p`."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from trsfnet.errors import ConfigError, check_type, nearest
from trsfnet.training.config import TrainConfig

SETTINGS = tuple(field.name for field in fields(TrainConfig) if field.name != "images")
"""The settings of a run that a user may give. `images` is found out, not given."""

OPTIONS: dict[str, type | types.UnionType] = {
    "preset": str | None,
    "data_root": str | None,
    "runs": str,
    "devices": int,
    "again": bool,
}
"""The notebook's other parameters: what they must be."""


def config_of(parameters: Mapping[str, Any], preset: str | None = None) -> TrainConfig:
    """The configuration of settings given by name on the command line.

    Raises:
        ConfigError: an unknown name, with the nearest one that exists, or what `TrainConfig` refuses.
    """
    for name in parameters:
        if name in OPTIONS:
            raise ConfigError(f"{name} is not a setting: give it as --{name.replace('_', '-')}.")
    _refuse_unknown(parameters, SETTINGS)
    return TrainConfig.from_parameters(dict(parameters), preset)


def notebook_config(namespace: Mapping[str, Any]) -> TrainConfig:
    """The configuration of a notebook's parameters, once all of them have been checked.

    papermill assigns whatever it is given, so that a misspelt parameter would leave the one that was meant at
    its default.

    Args:
        namespace: the notebook's `globals()`.

    Raises:
        ConfigError: a parameter that the notebook does not have, with the nearest one that it has, or one of
            the wrong type, or what `TrainConfig` refuses.
    """
    _refuse_unknown(injected(namespace.get("In", ())), (*SETTINGS, *OPTIONS))
    for name, hint in OPTIONS.items():
        check_type(name, namespace[name], hint)
    settings = {name: namespace[name] for name in SETTINGS}
    return TrainConfig.from_parameters(settings, namespace["preset"])


def injected(cells: Iterable[str]) -> list[str]:
    """The names that papermill assigned, in the cell that it adds after the parameters.

    Args:
        cells: the sources of the cells that were executed, as IPython keeps them in `In`.
    """
    return [
        target.id
        for cell in cells
        if cell.startswith("# Parameters\n")
        for statement in ast.parse(cell).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]


def _refuse_unknown(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"Unknown parameter {name!r}; the nearest is {nearest(name, known)!r}.")
