"""The model card of a network in Markdown: what users should know before they use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trsfnet.interop.description import Description
from trsfnet.interop.int8 import Loss
from trsfnet.models import InceptionResnet
from trsfnet.templates import fill

# The settings that readers look for first; the header of the weights contains all of them.
_SHOWN = ("loss", "epochs", "batch_size", "learning_rate", "schedule", "precision", "seed")


def card(description: Description, file: str) -> str:
    """Write the model card.

    Args:
        description: description of the network.
        file: name of the file that the card belongs to.

    Returns:
        The card in Markdown.
    """
    kind = Path(file).suffix.removeprefix(".")
    return fill(
        "trsfnet.interop",
        "model_card",
        description=description,
        file=file,
        format=kind,
        network=_network(description),
        input=_input(description, standardised_by_file=kind != "safetensors"),
        training=_training(description),
        results=_results(description),
    )


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


def _input(description: Description, *, standardised_by_file: bool) -> dict[str, Any]:
    p = description.preprocessing
    by = "the network in the file" if standardised_by_file else "`trsfnet.load`; others must do it"
    return {
        "faces": p.crop,
        "size": f"{p.size} x {p.size} pixels, RGB, 0 to 255",
        "standardised as": f"(pixel - {p.mean:g}) / {p.divisor:g}, by {by}",
    }


def _training(description: Description) -> dict[str, Any]:
    """Return the training section for a trsfnet run; empty for other networks."""
    training = description.training
    if not training:
        return {}
    data = training.get("data", {}).get("train")
    rows = {"track": training["track"]}
    if data:
        rows["images"] = f"{data['images']:,} of {data['identities']:,} people"
    rows |= {name: training["config"].get(name) for name in _SHOWN}
    if "int8" in training:
        rows["8-bit integers"] = (
            f"calibrated on {training['int8']['faces']} of these. {Loss(**training['int8'])}"
        )
    return rows | {
        "code": training.get("source_hash", "not recorded"),
        "command": f"`{training.get('command')}`",
    }


def _results(description: Description) -> dict[str, str]:
    if not description.metrics:
        return {}
    rows = {name: f"{value:.4f}" for name, value in description.metrics.items()}
    return rows | {
        f"threshold at FAR {far}": f"{cosine:.3f}" for far, cosine in description.thresholds.items()
    }
