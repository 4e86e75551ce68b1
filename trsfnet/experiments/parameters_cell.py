"""Write new settings and all comments into the parameters cell of `notebooks/train.ipynb`.

The command is `python -m trsfnet.experiments.parameters_cell`. papermill shows the comment after a
parameter as its help. The comments come from the fields of `TrainConfig` and from `OPTIONS`. A setting that
the cell lacks is inserted after the one that precedes it in `TrainConfig`; existing lines keep their place.
"""

from __future__ import annotations

import json
import re
import typing
from dataclasses import MISSING, Field, fields
from functools import cache
from pathlib import Path
from typing import Any

from trsfnet.data.tracks import TRACKS
from trsfnet.experiments.options import OPTIONS
from trsfnet.experiments.parameters import SETTINGS
from trsfnet.training.config import TrainConfig
from trsfnet.training.setting import summary

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "train.ipynb"
# A parameter with its type and value, without the comment that may follow.
_PARAMETER = re.compile(r"(?P<code>(?P<name>\w+): (?P<type>\S+) = (?P<value>.*?))(?:  #.*)?")


def completed(cell: str) -> str:
    """Return the source of the parameters cell with a line for every setting."""
    lines, last = cell.split("\n"), 0
    settings = (field for field in fields(TrainConfig) if field.name in SETTINGS)
    for field in settings:
        place = next((i for i, line in enumerate(lines) if line.startswith(f"{field.name}: ")), None)
        if place is None:
            place = last + 1
            lines.insert(place, _new_line(field))
        last = place
    return "\n".join(lines)


def _new_line(field: Field[Any]) -> str:
    """Return the assignment of a setting's default; None and an empty list count as not given."""
    kind = typing.get_type_hints(TrainConfig)[field.name]
    if typing.get_origin(kind) is tuple:
        return f"{field.name}: list = []"
    always = field.default is not MISSING and field.metadata["none"] is MISSING
    if always and field.metadata["needs"] is None:
        value = json.dumps(field.default) if kind is str else repr(field.default)
        return f"{field.name}: {kind.__name__} = {value}"
    number_or_name = kind if isinstance(kind, type) else typing.get_args(kind)[0]
    return f"{field.name}: Optional[{number_or_name.__name__}] = None"


def commented(cell: str) -> str:
    """Return the source of the parameters cell with the current help after each parameter.

    Raises:
        KeyError: a parameter is neither a setting nor an option.
    """
    return "\n".join(_commented(line) for line in cell.split("\n"))


def _commented(line: str) -> str:
    found = _PARAMETER.fullmatch(line)
    if not found:
        return line
    name, help = found["name"], parameter_help(found["name"])
    if found["value"] == "None" and name not in OPTIONS:
        help += f" (default: {_default(name)})"
    if found["type"] == "list":
        help += f', given as -y "{name}: [...]"'
    return f"{found['code']}  # {help}"


def parameter_help(name: str) -> str:
    """Return what a parameter means, on one line.

    Raises:
        KeyError: it is neither a setting nor an option.
    """
    if name in OPTIONS:
        return OPTIONS[name].help
    return summary({field.name: field for field in fields(TrainConfig)}[name])


def _default(name: str) -> str:
    """Return the default on the first track, followed by the different defaults of other tracks."""
    (needed,) = (field.metadata["needs"] for field in fields(TrainConfig) if field.name == name)
    tracks = needed[1] if needed and needed[0] == "track" else TRACKS
    if name == "track":
        tracks = TRACKS[:1]
    first, *others = ((track, _shown(getattr(_defaults(track), name))) for track in tracks)
    return ", ".join([first[1], *(f"{track} {value}" for track, value in others if value != first[1])])


@cache
def _defaults(track: str) -> TrainConfig:
    return TrainConfig(track=track)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Write the notebook."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    (cell,) = (cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", ()))
    cell["source"] = commented(completed("".join(cell["source"]))).splitlines(keepends=True)
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
