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


class Explorer(anywidget.AnyWidget):
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
        self._esm, self._css = script.module("explorer_widget.js"), script.styles()
        index, values = packed(runs)
        super().__init__(index=index, values=values)

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


class WhatIf(anywidget.AnyWidget):
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
        self._esm, self._css = script.module("whatif_widget.js"), script.styles()
        super().__init__(data=whatif.data(runs))


def explorer(collection: Analysis) -> Explorer | ipywidgets.HTML:
    """Return the explorer of all runs with recorded values, or a sentence if there are none."""
    runs = explorable(collection.runs)
    if not runs:
        return ipywidgets.HTML("Nothing to explore yet: no run has recorded scales, slopes or ratios.")
    return Explorer(runs)


def what_if(collection: Analysis) -> WhatIf:
    """Return *What if?* with the runs of `collection` and the paper's."""
    return WhatIf(explorable(collection.runs))
