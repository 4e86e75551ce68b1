"""Reproducible companion to "More Trainable Inception-ResNet for Face Recognition" (Peng et al., 2020)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trsfnet.exchange.embedder import Embedder, load
    from trsfnet.exchange.export import export
    from trsfnet.exchange.verification import Decision, verify
    from trsfnet.exchange.weights import Weights, load_network, read_weights
    from trsfnet.experiments.run import run
    from trsfnet.models.retrofit import Changes, make_trainable
    from trsfnet.training.config import TrainConfig

__version__ = "0.1.0"

# Imported when they are first asked for: PyTorch alone takes seconds.
_HOMES = {
    "Changes": "trsfnet.models.retrofit",
    "Decision": "trsfnet.exchange.verification",
    "Embedder": "trsfnet.exchange.embedder",
    "TrainConfig": "trsfnet.training.config",
    "Weights": "trsfnet.exchange.weights",
    "export": "trsfnet.exchange.export",
    "load": "trsfnet.exchange.embedder",
    "load_network": "trsfnet.exchange.weights",
    "make_trainable": "trsfnet.models.retrofit",
    "read_weights": "trsfnet.exchange.weights",
    "run": "trsfnet.experiments.run",
    "verify": "trsfnet.exchange.verification",
}
__all__ = [
    "Changes",
    "Decision",
    "Embedder",
    "TrainConfig",
    "Weights",
    "__version__",
    "export",
    "load",
    "load_network",
    "make_trainable",
    "read_weights",
    "run",
    "verify",
]


def __getattr__(name: str) -> Any:
    """The public names, from the modules that they live in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
