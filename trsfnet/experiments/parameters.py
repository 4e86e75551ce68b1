"""Settings that users give by name, as papermill parameters or with `trsfnet train -p`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from trsfnet.errors import ConfigError, check_type, nearest
from trsfnet.experiments.options import OPTIONS
from trsfnet.training.config import TrainConfig

SETTINGS = tuple(field.name for field in fields(TrainConfig) if field.name != "images")
"""The settings of a run that a user may give; `images` is determined automatically."""

_SCIENTIFIC = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def config_of(parameters: Mapping[str, Any], preset: str | None = None) -> TrainConfig:
    """Return the configuration for settings given by name on the command line.

    Args:
        parameters: values by name of the setting.
        preset: name of the preset on which the configuration is based.

    Raises:
        ConfigError: a name is unknown (the message suggests the nearest one), or `TrainConfig` rejects the
            settings.
    """
    for name in parameters:
        if name in OPTIONS:
            raise ConfigError(f"{name} is not a setting: give it as --{name.replace('_', '-')}.")
    _refuse_unknown(parameters, SETTINGS)
    return TrainConfig.from_parameters(dict(parameters), preset)


def notebook_config(namespace: Mapping[str, Any]) -> TrainConfig:
    """Check a notebook's parameters and return their configuration.

    papermill assigns any name that it is given, so without this check a misspelt parameter would silently
    leave the intended one at its default.

    Args:
        namespace: the notebook's `globals()`.

    Raises:
        ConfigError: a parameter is unknown (the message suggests the nearest one) or of the wrong type, or
            `TrainConfig` rejects the settings.
    """
    _refuse_unknown(injected(namespace.get("In", ())), (*SETTINGS, *OPTIONS))
    for name, option in OPTIONS.items():
        check_type(name, namespace[name], option.kind)
    settings = {name: _yaml_number(namespace[name]) for name in SETTINGS}
    return TrainConfig.from_parameters(settings, namespace["preset"])


def injected(cells: Iterable[str]) -> list[str]:
    """Return the names that papermill assigned in the cell that it inserts after the parameters.

    Args:
        cells: the sources of the executed cells, as stored by IPython in `In`.
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


def _yaml_number(value: Any) -> Any:
    """Convert numbers such as 1e-3, which YAML 1.1 reads as text because they have no decimal point."""
    if isinstance(value, list):
        return [_yaml_number(entry) for entry in value]
    is_number = isinstance(value, str) and _SCIENTIFIC.fullmatch(value)
    return float(value) if is_number else value


def _refuse_unknown(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"Unknown parameter {name!r}; the nearest is {nearest(name, known)!r}.")
