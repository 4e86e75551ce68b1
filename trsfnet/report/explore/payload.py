"""The data for the browser: an index of JSON types, and all values in half precision."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from trsfnet.models.inception_resnet import ARCHITECTURES
from trsfnet.models.recorded_names import recorded_names
from trsfnet.report import style
from trsfnet.report.explore import charts
from trsfnet.report.explore.catalogue import LEVELS, Group, Run, first_two, groups
from trsfnet.report.explore.shown import KINDS

FIRST_KIND = "trsf"

# Little-endian. 11 bits keep three significant digits of values from 6e-5 on, at a third of JSON's size.
_NUMBERS = np.dtype("<f2")


def packed(runs: list[Run]) -> tuple[dict[str, Any], bytes]:
    """Return everything that the browser needs: an index, and the values to which it refers.

    Args:
        runs: the runs, at least one.

    Returns:
        The index, and the values: for each run and kind, a row per epoch with a number per module. Values
        beyond the range of half precision are clipped.
    """
    names: list[list[list[Any]]] = []
    tables: list[np.ndarray] = []
    entries = [_entry(run, names, tables) for run in runs]
    offered = groups(runs)
    first, second = first_two(offered)
    index = {
        "levels": LEVELS,
        "kinds": {key: asdict(kind) for key, kind in KINDS.items()},
        "charts": charts.interactive(),
        "start": {"kind": FIRST_KIND, "groups": [offered.index(first), offered.index(second)]},
        "names": names,
        "runs": entries,
        "groups": [_group(group, runs) for group in offered],
    }
    values = np.concatenate([table.ravel() for table in tables])
    most = np.finfo(_NUMBERS).max
    return index, values.clip(-most, most).astype(_NUMBERS).tobytes()


def _entry(run: Run, names: list[list[list[Any]]], tables: list[np.ndarray]) -> dict[str, Any]:
    kinds = {}
    for kind, values in run.tables.items():
        modules = [module(name, run.arch) for name in values.columns]
        if modules not in names:
            names.append(modules)
        start = sum(table.size for table in tables)
        kinds[kind] = {"names": names.index(modules), "epochs": values.index.tolist(), "at": start}
        tables.append(values.to_numpy())
    return {"id": run.record.run_id, "name": run.seed, "kinds": kinds}


def _group(group: Group, runs: list[Run]) -> dict[str, Any]:
    return {
        **{level: getattr(group, level) for level in LEVELS},
        "name": group.name,
        "colour": style.look(group.runs[0].record.variant).colour,
        "runs": [runs.index(run) for run in group.runs],
    }


def module(name: str, arch: str) -> list[Any]:
    """Return a module's name, its stage in words, and its number among residual modules (0 if it is none).

    Args:
        name: name in the record, such as `PReLU_inception-resnet v1.6.2`.
        arch: `v1` or `v2`.
    """
    parts = recorded_names(arch)[name]
    if not parts.block:
        return [name, parts.part, 0]
    last = 0
    for stage in ("block35", "block17", "block8"):
        first, last = last + 1, last + getattr(ARCHITECTURES[arch], stage).repeats
        if parts.block <= last:
            break
    # The last stage includes one more module, which stands apart.
    end = last + (stage == "block8")
    return [name, f"modules {first}–{end}", parts.block]


def frame(index: dict[str, Any], values: bytes) -> pd.DataFrame:
    """Unpack the values to a table with the columns run, kind, name, epoch and value."""
    numbers = np.frombuffer(values, _NUMBERS).astype(float)
    parts = []
    for run in index["runs"]:
        for kind, table in run["kinds"].items():
            names = [name for name, *_ in index["names"][table["names"]]]
            shape = len(table["epochs"]), len(names)
            own = numbers[table["at"] : table["at"] + shape[0] * shape[1]].reshape(shape)
            rows = pd.DataFrame(own, table["epochs"], names).rename_axis("epoch").reset_index()
            parts.append(rows.melt("epoch", var_name="name").assign(run=run["id"], kind=kind))
    return pd.concat(parts, ignore_index=True)[["run", "kind", "name", "epoch", "value"]]
