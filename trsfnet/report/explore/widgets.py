"""The explorer and *What if?* as widgets for Jupyter, with the same scripts as the book's page."""

from __future__ import annotations

from typing import Any

import anywidget
import ipywidgets
import pandas as pd
import traitlets

from trsfnet.analysis import Analysis
from trsfnet.report.explore import script, whatif
from trsfnet.report.explore.catalogue import Run, explorable
from trsfnet.report.explore.payload import FIRST_KIND, frame, packed


class _Widget(anywidget.AnyWidget):
    """A widget of which the scripts are loaded when it is shown: see `browser/loader.js`.

    Attributes:
        code: the scripts, as a JavaScript module.
    """

    code = traitlets.Unicode().tag(sync=True)

    def __init__(self, script_name: str, **traits: Any) -> None:
        """Create the widget; the script `script_name` renders it."""
        self._esm, self._css = script.loader(), script.styles()
        super().__init__(code=script.module(script_name), **traits)


class Explorer(_Widget):
    """Compares two runs, or two groups of seeds, in linked charts.

    Attributes:
        state: state of the controls, which can be read and set: `groups` (indices into `index["groups"]`),
            `kind`, `epoch`, and the selected modules from `first` to `last`.
        index: the runs and groups to choose from; see `trsfnet.report.explore.payload`.
        values: all values in packed form.
    """

    index = traitlets.Dict().tag(sync=True)
    values = traitlets.Bytes().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: list[Run]) -> None:
        """Create the explorer.

        Args:
            runs: the runs to choose from, at least one.
        """
        index, values = packed(runs)
        super().__init__("explorer_widget.js", index=index, values=values)

    @property
    def table(self) -> pd.DataFrame:
        """Values of the shown groups at every epoch, with the columns run, kind, name, epoch and value."""
        groups = self.state.get("groups", self.index["start"]["groups"])
        ids = {
            self.index["runs"][run]["id"] for group in groups for run in self.index["groups"][group]["runs"]
        }
        shown = {**self.index, "runs": [run for run in self.index["runs"] if run["id"] in ids]}
        return frame(shown, self.values)

    def show(self, **state: Any) -> None:
        """Set some of the controls, such as `show(kind="slope", epoch=3)`; see `state`."""
        usual = {
            "groups": self.index["start"]["groups"],
            "kind": FIRST_KIND,
            "epoch": 1e9,
            "first": 1,
            "last": 1e9,
        }
        self.state = {**usual, **self.state, **state}


class WhatIf(_Widget):
    """Shows the path of the scales by gradient flow, for a schedule set with sliders.

    Attributes:
        data: curves, points and charts; see `trsfnet.report.explore.whatif`.
    """

    data = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: list[Run]) -> None:
        """Create the widget.

        Args:
            runs: the runs to show next to the curve.
        """
        super().__init__("whatif_widget.js", data=whatif.data(runs))


def explorer(collection: Analysis) -> Explorer | ipywidgets.HTML:
    """Return the explorer of all runs with recorded values, or a sentence if there are none."""
    runs = explorable(collection.runs)
    if not runs:
        return ipywidgets.HTML("Nothing to explore yet: no run has recorded scales, slopes or ratios.")
    return Explorer(runs)


def what_if(collection: Analysis) -> WhatIf:
    """Return *What if?* with the runs of `collection` and the paper's."""
    return WhatIf(explorable(collection.runs))
