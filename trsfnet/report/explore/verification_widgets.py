"""Verification of two images in Jupyter, with ipywidgets."""

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
from trsfnet.inference.preparation import PREPARATIONS, preparation_for, prepare
from trsfnet.inference.verification import Decision, compare, threshold_at
from trsfnet.interop.description import Description
from trsfnet.interop.models import Model, read_model
from trsfnet.report.explore.verification import FARS, Network, networks, rendered

_EXAMPLES = {"same": (0, 0), "other": (0, 1)}
_EXAMPLE_NAMES = {"same": "one rendered person twice", "other": "two rendered people"}

# Added to every answer of a network trained on rendered faces about the user's own images.
_RENDERED_ONLY = (
    "This network was trained only on rendered faces, so its decisions on photographs mean little. "
    "A run on the <code>lfw</code> track was trained on photographs."
)


class Verifier(ipywidgets.VBox):
    """Decides whether two images show the same person, and updates the answer when a control changes.

    Attributes:
        network: selects the network that decides.
        far: selects the false accept rate, the accepted share of different-person pairs.
        images: selects rendered examples, or the kind of the user's own files.
        files: uploads of the user's two files.
        crops: the two images as the network sees them.
        answer: the decision as a sentence, or what is missing.
        decision: the decision; None while there is none.
    """

    def __init__(self, networks: list[Network]) -> None:
        """Create the controls.

        Args:
            networks: the networks to choose from, at least one.
        """
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
        """Switch from the examples to the user's files when one is uploaded."""
        if self.images.value in _EXAMPLES:
            self.images.value = "photograph"

    def _decide(self) -> None:
        self.decision = None
        try:
            embedder, model = _network(self.network.value.source)
            crops = self._crops(embedder.description)
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

    def _crops(self, description: Description) -> np.ndarray | None:
        """Return the two images to compare: uint8 [2, size, size, 3]; None while a file is missing."""
        size = description.preprocessing.size
        if self.images.value in _EXAMPLES:
            return rendered(_EXAMPLES[self.images.value], size)
        if not all(upload.value for upload in self.files):
            return None
        files = [upload.value[-1] for upload in self.files]
        preparation = preparation_for(description, self.images.value)
        return np.stack([prepare(bytes(f["content"]), f["name"], preparation, size) for f in files])


@cache
def _network(source: Path) -> tuple[Embedder, Model]:
    """Return the embedder of a network, and the model with its thresholds."""
    model = read_model(source)
    return Embedder(model, precision="float32"), model


def _png(crop: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "png")
    return buffer.getvalue()


def verifier(collection: Analysis) -> Verifier:
    """Return the verifier for all runs with a checkpoint and for the included network."""
    return Verifier(networks(collection.runs))
