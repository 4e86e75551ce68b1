"""The model card of a network: what its users should know before they use it, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from trsfnet.interop.description import Description
from trsfnet.models import InceptionResnet

_HEADER = """\
---
library_name: trsfnet
license: other
tags: [face-recognition, inception-resnet]
---
"""
_ABOUT = (
    "The Inception-ResNets of *More Trainable Inception-ResNet for Face Recognition* (Peng et al., 2020)."
)
_LIMITS = """\
Nobody has tested it on people of different ages, origins or skin colours, or against attacks: it is for
research, and no basis for decisions about people. Similarities mean something only together with a threshold
that was chosen on faces like those that it will see."""
_ONE_RUN = """\
These are of one run with one seed. They hold for this track's data and protocol and compare with nothing
else, least of all with numbers of networks trained on other data."""
# Of a run's settings, those that readers look for first; all of them are in the header of the weights.
_SHOWN = ("loss", "epochs", "batch_size", "learning_rate", "schedule", "precision", "seed")


def card(description: Description, file: str) -> str:
    """The model card.

    Args:
        description: of the network.
        file: name of the file that the card goes with.
    """
    parts = [
        f"{_HEADER}\n# {description.name}\n\n{_ABOUT}",
        f"## Network\n\n{_table(_network(description))}",
        f"## Input\n\n{_table(_input(description, file))}\n\n{_use(file)}",
        f"## Training\n\n{_training(description)}",
        f"## Results\n\n{_results(description)}",
        f"## Limits\n\n{_LIMITS}",
    ]
    return "\n\n".join(parts) + "\n"


def _network(description: Description) -> dict[str, Any]:
    settings = description.settings
    with torch.device("meta"):
        model = InceptionResnet(**settings)
    scales, slopes = len(model.scales()), len(model.slopes())
    return {
        "architecture": f"Inception-ResNet {settings['version']}",
        "width": f"{settings.get('width', 1.0):g} of the paper's",
        "parameters": f"{sum(p.numel() for p in model.parameters()):,}",
        "residual scales": f"{scales} trainable" if scales else "constant",
        "activation": settings.get("activation", "relu") + (f", {slopes} trainable slopes" if slopes else ""),
        "embedding": f"{settings.get('embedding_size', 512)} numbers",
        "names of the weights from": description.origin,
    }


def _input(description: Description, file: str) -> dict[str, Any]:
    p = description.preprocessing
    by = "`trsfnet.load`; others must do it" if file.endswith(".safetensors") else "the network in the file"
    return {
        "faces": p.crop,
        "size": f"{p.size} x {p.size} pixels, RGB, 0 to 255",
        "standardised as": f"(pixel - {p.mean:g}) / {p.divisor:g}, by {by}",
    }


def _use(file: str) -> str:
    if file.endswith(".onnx"):
        lines = ["import onnxruntime", "", f'session = onnxruntime.InferenceSession("{file}")']
        lines += ['(embeddings,) = session.run(None, {"images": images})  # uint8 [N, size, size, 3]']
    elif file.endswith(".pt2"):
        lines = ["import torch", "", f'network = torch.export.load("{file}").module()']
        lines += ["embeddings = network(images)  # uint8 [N, size, size, 3]"]
    else:
        lines = ["import trsfnet", "", f'embedder = trsfnet.load("{file}")']
        lines += ['a, b = embedder.embed(["a.jpg", "b.jpg"])  # a @ b is their similarity']
    return "\n".join(["```python", *lines, "```"])


def _training(description: Description) -> str:
    terms = f"Data: {description.data_terms}"
    training = description.training
    if not training:
        return f"Not by trsfnet. {terms}"
    data = training.get("data", {}).get("train")
    rows = {"track": training["track"]}
    if data:
        rows["images"] = f"{data['images']:,} of {data['identities']:,} people"
    rows |= {name: training["config"].get(name) for name in _SHOWN}
    rows |= {"code": training.get("source_hash", "not recorded"), "command": f"`{training.get('command')}`"}
    return f"{_table(rows)}\n\n{terms}"


def _results(description: Description) -> str:
    if not description.metrics:
        return "None are known."
    rows = {name: f"{value:.4f}" for name, value in description.metrics.items()}
    rows |= {f"threshold at FAR {far}": f"{cosine:.3f}" for far, cosine in description.thresholds.items()}
    return f"{_table(rows)}\n\n{_ONE_RUN}"


def _table(rows: Mapping[str, Any]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])
