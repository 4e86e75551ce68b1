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
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.preparation import PREPARATIONS, prepare
from trsfnet.inference.verification import Decision, compare, threshold_at
from trsfnet.interop.models import Model, read_model
from trsfnet.report.explore.verification import FARS, Network, networks, rendered

_EXAMPLES = {"same": (0, 0), "other": (0, 1)}
_EXAMPLE_NAMES = {"same": "one rendered person twice", "other": "two rendered people"}

# Said with every answer of a network that was trained on rendered faces about something else.
_RENDERED_ONLY = (
    "This network was trained only on rendered faces, so its decisions on photographs mean little. "
    "A run on the <code>lfw</code> track was trained on photographs."
)


class Verifier(ipywidgets.VBox):
    """Says whether two images show one person; the answer follows the controls.

    Attributes:
        network: what decides.
        far: share of different-person pairs that may be accepted.
        images: rendered examples, or what the reader's own files are.
        files: the reader's two files.
        crops: what the network sees, as two images.
        answer: the decision as a sentence, or what is missing.
        decision: the decision, None while there is none.
    """

    def __init__(self, networks: list[Network]) -> None:
        """Offer `networks`, one or more."""
        wide = ipywidgets.Layout(width="100%", max_width="45rem")
        named = [(network.name, network) for network in networks]
        self.network = ipywidgets.Dropdown(options=named, description="Network", layout=wide)
        self.far = ipywidgets.Dropdown(options=[(far_name(far), far) for far in FARS], description="FAR")
        names = {**_EXAMPLE_NAMES, **{k: f"my files: {text}" for k, text in PREPARATIONS.items()}}
        self.images = ipywidgets.Dropdown(
            options=[(v, k) for k, v in names.items()], description="Images", layout=wide
        )
        self.files = [
            ipywidgets.FileUpload(accept="image/*", description=text) for text in ("Image 1", "Image 2")
        ]
        self.crops = [ipywidgets.Image(format="png", width=160) for _ in self.files]
        self.answer = ipywidgets.HTML()
        self.decision: Decision | None = None
        for file in self.files:
            file.observe(lambda _: self._use_files(), names="value")
        for control in (self.network, self.far, self.images, *self.files):
            control.observe(lambda _: self._decide(), names="value")
        self._decide()
        rows = [ipywidgets.HBox(self.files), ipywidgets.HBox(self.crops), self.answer]
        super().__init__([self.network, self.far, self.images, *rows])

    def _use_files(self) -> None:
        """Files that come while examples are shown are meant to be looked at."""
        if self.images.value in _EXAMPLES:
            self.images.value = "photograph"

    def _decide(self) -> None:
        self.decision = None
        try:
            embedder, model = _network(self.network.value.source)
            crops = self._crops(embedder.description.preprocessing.size)
            if crops is None:
                self.answer.value = "Choose two image files."
                return
            for shown, crop in zip(self.crops, crops, strict=True):
                shown.value = _png(crop)
            far = self.far.value
            self.decision = compare(embedder, crops, threshold_at(model, far), far)
        except TrsfnetError as error:
            self.answer.value = html.escape(str(error))
            return
        self.answer.value = f"<b>{html.escape(str(self.decision))}</b>"
        track = embedder.description.training.get("track")
        if track == "synthetic" and self.images.value not in _EXAMPLES:
            self.answer.value += f"<br>{_RENDERED_ONLY}"

    def _crops(self, size: int) -> np.ndarray | None:
        """What the network is to compare; None while a file is missing."""
        if self.images.value in _EXAMPLES:
            return rendered(_EXAMPLES[self.images.value], size)
        if not all(upload.value for upload in self.files):
            return None
        files = [upload.value[-1] for upload in self.files]
        return np.stack([prepare(bytes(f["content"]), f["name"], self.images.value, size) for f in files])


@cache
def _network(source: Path) -> tuple[Embedder, Model]:
    """The network that computes, and what it was made of, which knows its thresholds."""
    model = read_model(source)
    return Embedder(model, precision="float32"), model


def _png(crop: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "png")
    return buffer.getvalue()


def verifier(collection: Analysis) -> Verifier:
    """The verifier over the runs whose networks are there, and the network that comes with the package."""
    return Verifier(networks(collection.runs))
