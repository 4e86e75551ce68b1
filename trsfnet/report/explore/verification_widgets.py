"""Verification of two images in Jupyter, with the controls of ipywidgets."""

from __future__ import annotations

import html
import io
from functools import cache
from pathlib import Path

import ipywidgets
import numpy as np
from PIL import Image

from trsfnet.analysis import Analysis
from trsfnet.errors import TrsfnetError
from trsfnet.evaluation.names import far_name
from trsfnet.experiments.threshold import threshold
from trsfnet.inference.embedder import Embedder, load
from trsfnet.inference.preparation import PREPARATIONS, prepare
from trsfnet.inference.verification import Decision, compare
from trsfnet.report.explore.catalogue import Run, catalogue
from trsfnet.report.explore.verification import FARS, has_network, rendered

_EXAMPLES = {"same": (0, 0), "other": (0, 1)}
_EXAMPLE_NAMES = {"same": "one rendered person twice", "other": "two rendered people"}

_NO_NETWORK = (
    "No run here has its network: committed results come without. Train one of your own, for example by "
    "<code>papermill notebooks/train.ipynb runs/v1-trsf.ipynb -p trsf True</code>, and run this "
    "notebook again."
)


class Verifier(ipywidgets.VBox):
    """Says whether two images show one person; the answer follows the controls.

    Attributes:
        run: the run whose network decides.
        far: share of different-person pairs that may be accepted.
        images: rendered examples, or what the reader's own files are.
        files: the reader's two files.
        crops: what the network sees, as two images.
        answer: the decision as a sentence, or what is missing.
        decision: the decision, None while there is none.
    """

    def __init__(self, runs: list[Run]) -> None:
        """Offer `runs`, one or more, all with their networks."""
        self.run = ipywidgets.Dropdown(options=[(run.name, run) for run in runs], description="Run")
        self.far = ipywidgets.Dropdown(options=[(far_name(far), far) for far in FARS], description="FAR")
        names = {**_EXAMPLE_NAMES, **{k: f"my files: {text}" for k, text in PREPARATIONS.items()}}
        self.images = ipywidgets.Dropdown(options=[(v, k) for k, v in names.items()], description="Images")
        self.files = [
            ipywidgets.FileUpload(accept="image/*", description=text) for text in ("Image 1", "Image 2")
        ]
        self.crops = [ipywidgets.Image(format="png", width=160) for _ in self.files]
        self.answer = ipywidgets.HTML()
        self.decision: Decision | None = None
        for control in (self.run, self.far, self.images, *self.files):
            control.observe(lambda _: self._decide(), names="value")
        self._decide()
        rows = [ipywidgets.HBox(self.files), ipywidgets.HBox(self.crops), self.answer]
        super().__init__([self.run, self.far, self.images, *rows])

    def _decide(self) -> None:
        self.decision = None
        try:
            record = self.run.value.record
            embedder = _embedder(record.path)
            crops = self._crops(embedder.description.preprocessing.size)
            if crops is None:
                self.answer.value = "Choose two image files."
                return
            for shown, crop in zip(self.crops, crops, strict=True):
                shown.value = _png(crop)
            far = self.far.value
            self.decision = compare(embedder, crops, threshold(record, far), far)
        except TrsfnetError as error:
            self.answer.value = html.escape(str(error))
        else:
            self.answer.value = f"<b>{html.escape(str(self.decision))}</b>"

    def _crops(self, size: int) -> np.ndarray | None:
        """What the network is to compare; None while a file is missing."""
        if self.images.value in _EXAMPLES:
            return rendered(_EXAMPLES[self.images.value], size)
        if not all(upload.value for upload in self.files):
            return None
        files = [upload.value[-1] for upload in self.files]
        return np.stack([prepare(bytes(f["content"]), f["name"], self.images.value, size) for f in files])


@cache
def _embedder(path: Path) -> Embedder:
    return load(path, precision="float32")


def _png(crop: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "png")
    return buffer.getvalue()


def verifier(collection: Analysis) -> Verifier | ipywidgets.HTML:
    """The verifier over the runs whose networks are there, or a sentence that says how to get one."""
    runs = catalogue(r for r in collection.runs if has_network(r))
    return Verifier(runs) if runs else ipywidgets.HTML(_NO_NETWORK)
