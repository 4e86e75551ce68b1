"""The explorer and *What if?* in Jupyter: the page's own scripts, over all runs there are."""

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
    """Two runs, or two groups of seeds, in linked charts.

    Attributes:
        state: what the controls say, and what sets them: `groups` (places in `index["groups"]`), `kind`,
            `epoch`, and the modules from `first` to `last`.
        index: what there is to choose from; see `trsfnet.report.explore.payload`.
        values: all numbers.
    """

    index = traitlets.Dict().tag(sync=True)
    values = traitlets.Bytes().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: list[Run]) -> None:
        """Offer `runs`, one or more."""
        self._esm, self._css = script.module("explorer_widget.js"), script.styles()
        index, values = packed(runs)
        super().__init__(index=index, values=values)

    @property
    def table(self) -> pd.DataFrame:
        """The values of the groups that are shown, at every epoch: run, kind, name, epoch, value."""
        groups = self.state.get("groups", self.index["start"]["groups"])
        ids = {
            self.index["runs"][run]["id"] for group in groups for run in self.index["groups"][group]["runs"]
        }
        shown = {**self.index, "runs": [run for run in self.index["runs"] if run["id"] in ids]}
        return frame(shown, self.values)

    def show(self, **state: Any) -> None:
        """Set some of the controls, such as `show(kind="slope", epoch=3)`."""
        usual = {
            "groups": self.index["start"]["groups"],
            "kind": FIRST_KIND,
            "epoch": 1e9,
            "first": 1,
            "last": 1e9,
        }
        self.state = {**usual, **self.state, **state}


class WhatIf(anywidget.AnyWidget):
    """The scales' path under a schedule that sliders make, by gradient flow.

    Attributes:
        data: see `trsfnet.report.explore.whatif`.
    """

    data = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: list[Run]) -> None:
        """Show `runs` next to the curve."""
        self._esm, self._css = script.module("whatif_widget.js"), script.styles()
        super().__init__(data=whatif.data(runs))


def explorer(collection: Analysis) -> Explorer | ipywidgets.HTML:
    """The explorer over all runs that recorded something, or a sentence that there is none."""
    runs = explorable(collection.runs)
    if not runs:
        return ipywidgets.HTML("Nothing to explore yet: no run has recorded scales, slopes or ratios.")
    return Explorer(runs)


def what_if(collection: Analysis) -> WhatIf:
    """*What if?*, with the runs of a collection and the paper's."""
    return WhatIf(explorable(collection.runs))
