"""The explorer for Jupyter: two runs beside each other, with the controls of ipywidgets."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets
import traitlets

from trsfnet.analysis import Analysis
from trsfnet.report.explore.catalogue import LEVELS, Run, explorable, first_two, options
from trsfnet.report.explore.drawing import compare
from trsfnet.report.explore.shown import KINDS, Shown, last_epoch


class RunPicker(ipywidgets.VBox):
    """Picks one run: track, architecture, setting and seed, each a list of what there is.

    Attributes:
        run: the run that is picked.
        selects: the list of each of `LEVELS`.
    """

    run = traitlets.Instance(Run)

    def __init__(self, title: str, runs: list[Run], first: Run) -> None:
        """Offer `runs`, `first` picked."""
        self._runs = runs
        self._updating = False
        self.selects = {level: ipywidgets.Dropdown(description=text) for level, text in LEVELS.items()}
        self._offer({level: getattr(first, level) for level in LEVELS})
        for select in self.selects.values():
            select.observe(lambda _: self._offer(self._chosen), names="value")
        super().__init__([ipywidgets.HTML(f"<b>{html.escape(title)}</b>"), *self.selects.values()])

    @property
    def _chosen(self) -> dict[str, Any]:
        return {level: select.value for level, select in self.selects.items()}

    def _offer(self, chosen: dict[str, Any]) -> None:
        """List what there is below what is chosen, and keep of that as much as there is."""
        if self._updating:  # by the change of a list
            return
        self._updating = True
        for level, values in options(self._runs, chosen).items():
            self.selects[level].options = values
            self.selects[level].value = chosen[level] if chosen[level] in values else values[0]
        self._updating = False
        chosen = self._chosen
        self.run = next(r for r in self._runs if all(getattr(r, level) == chosen[level] for level in LEVELS))


class Explorer(ipywidgets.VBox):
    """Shows a kind of value of two runs at an epoch; the figure follows the controls.

    Attributes:
        pickers: of run A and of run B.
        kind: one of `KINDS`.
        epoch: from the start to the last epoch of the longer run.
        shown: what the figure shows of each run.
        figure: the drawing with its caption.
    """

    def __init__(self, runs: list[Run]) -> None:
        """Offer `runs`, one or more."""
        first, second = first_two(runs)
        self.pickers = RunPicker("Run A", runs, first), RunPicker("Run B", runs, second)
        kinds = [(kind.title, name) for name, kind in KINDS.items()]
        self.kind = ipywidgets.Dropdown(options=kinds, description="Show")
        self.epoch = ipywidgets.IntSlider(description="Epoch", continuous_update=False)
        self.figure = ipywidgets.HTML()
        self.shown: tuple[Shown, ...] = ()
        self.epoch.value = self.epoch.max = last_epoch((first, second))
        self._draw()
        for picker in self.pickers:
            picker.observe(lambda _: self._pick(), names="run")
        for control in (self.kind, self.epoch):
            control.observe(lambda _: self._draw(), names="value")
        controls = ipywidgets.HBox([self.kind, self.epoch])
        super().__init__([ipywidgets.HBox(self.pickers), controls, self.figure])

    def _pick(self) -> None:
        """Bring the slider in line with the runs, at its end if it was there, and draw."""
        at_end = self.epoch.value == self.epoch.max
        with self.epoch.hold_trait_notifications():
            self.epoch.max = last_epoch(self._runs)
            self.epoch.value = self.epoch.max if at_end else min(self.epoch.value, self.epoch.max)
        self._draw()

    def _draw(self) -> None:
        first, second = (Shown(run, self.kind.value, self.epoch.value) for run in self._runs)
        if (first, second) == self.shown:  # already, for a change of the slider that follows from the runs
            return
        self.shown = first, second
        self.figure.value = compare(first, second)._repr_html_()

    @property
    def _runs(self) -> tuple[Run, Run]:
        return self.pickers[0].run, self.pickers[1].run


def explorer(collection: Analysis) -> Explorer | ipywidgets.HTML:
    """The explorer over all runs that recorded something, or a sentence that there is none."""
    runs = explorable(collection.runs)
    if not runs:
        return ipywidgets.HTML("Nothing to explore yet: no run has recorded scales, slopes or ratios.")
    return Explorer(runs)
