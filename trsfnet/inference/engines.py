"""Inference engines: PyTorch, or onnxruntime, which is about twice as fast on a CPU in float32."""

from __future__ import annotations

import importlib.util
import re
from typing import Protocol

import numpy as np
import torch

from trsfnet.errors import ConfigError, DataError, choice
from trsfnet.inference.graphs import loaded_graph
from trsfnet.interop.embedding_network import embedding_network
from trsfnet.interop.models import Model
from trsfnet.interop.onnx_file import Interface, OnnxModel
from trsfnet.interop.onnx_graph import INPUT, OUTPUT
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.training.precision import DTYPES, PRECISIONS, best_device, best_precision

ENGINES = ("auto", "torch", "onnxruntime")


class Engine(Protocol):
    """Computes embeddings from pixels.

    Attributes:
        name: `torch` or `onnxruntime`.
        precision: precision of multiplications: `float32`, `bfloat16`, or `int8` for a quantised file.
        device: device of the computation, such as `cpu`.
    """

    name: str
    precision: str
    device: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Map uint8 [N, size, size, 3], RGB, to float32 [N, D], not normalised by the engine."""


def make_engine(
    model: Model, *, engine: str = "auto", device: torch.device | str | None = None, precision: str = "auto"
) -> Engine:
    """Create the engine that computes the embeddings of `model`.

    Args:
        model: see `trsfnet.interop.models.read_model`.
        engine: one of `ENGINES`. `auto` chooses onnxruntime on a CPU if it is installed and the precision is
            float32, otherwise PyTorch.
        device: device for PyTorch; by default the first GPU, or the CPU if there is none. onnxruntime runs on
            the CPU.
        precision: `float32`, `bfloat16` (PyTorch only), or `auto` for bfloat16 where the hardware supports it
            (see `trsfnet.training.precision.best_precision`), which is faster but less exact.

    Raises:
        ConfigError: if the engine or precision is unknown, the options are incompatible, the device is not
            available, or a package is missing.
        DataError: if the network is incomplete or does not produce embeddings.
    """
    choice("engine", engine, ENGINES)
    choice("precision", precision, PRECISIONS)
    name, preprocessing = model.description.name, model.description.preprocessing
    if isinstance(model, OnnxModel):
        if engine == "torch":
            raise ConfigError(f"{name} runs only in onnxruntime: omit the engine.")
        _check_onnxruntime(device, precision)
        kept_in = "int8" if "int8" in model.description.training else "float32"
        return OnnxEngine(model.content, model.interface, name, preprocessing, kept_in)
    if engine == "onnxruntime":
        _check_onnxruntime(device, precision)
    else:
        place = present(device or best_device())
        found = best_precision(place) if precision == "auto" else precision
        fast = place.type == "cpu" and found == "float32" and not _missing()
        if engine == "torch" or not fast:
            return TorchEngine(model, place, found)
    interface = Interface(
        INPUT,
        OUTPUT,
        channels_first=False,
        pixels=True,
        batch=None,
        size=preprocessing.size,
        width=model.description.width,
    )
    return loaded_graph(model, lambda graph: OnnxEngine(graph, interface, name, preprocessing))


class TorchEngine:
    """Inference in PyTorch, with batch normalisation folded into the weights."""

    name = "torch"

    def __init__(self, weights: Weights, device: torch.device, precision: str) -> None:
        """Build the network.

        Args:
            weights: weights of a network with a bottleneck.
            device: device of the computation.
            precision: `float32` or `bfloat16`.
        """
        self.precision, self.device = precision, str(device)
        self.network = embedding_network(weights, DTYPES[precision]).to(device)

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Compute embeddings, see `Engine`."""
        return self.network.outputs(torch.from_numpy(images).to(self.device)).cpu().numpy()


class OnnxEngine:
    """Inference in onnxruntime on the CPU, with as many threads as PyTorch would use."""

    name, device = "onnxruntime", "cpu"

    def __init__(
        self,
        graph: bytes,
        interface: Interface,
        name: str,
        preprocessing: Preprocessing,
        precision: str = "float32",
    ) -> None:
        """Load the graph.

        Args:
            graph: content of an ONNX file without external data.
            interface: the graph's inputs and outputs.
            name: name of the network, for error messages.
            preprocessing: preprocessing of the input, unless the graph takes pixels.
            precision: precision of multiplications, as reported by the engine.

        Raises:
            DataError: if onnxruntime cannot load the graph.
        """
        from onnxruntime import InferenceSession, SessionOptions  # optional: in the extra `export`

        options = SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4  # problems are raised as exceptions
        self.precision = precision
        self._interface, self._name, self._preprocessing = interface, name, preprocessing
        try:
            self._session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen types of exceptions for faulty graphs
            raise DataError(f"onnxruntime cannot load {name}: {_first_line(error)}.") from error

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Compute embeddings, see `Engine`."""
        at_once = self._interface.batch or max(len(images), 1)
        rows = [self._run(images[start : start + at_once]) for start in range(0, len(images), at_once)]
        return np.concatenate(rows)

    def _run(self, images: np.ndarray) -> np.ndarray:
        count, batch = len(images), self._interface.batch
        if batch is not None and count < batch:  # pad the last batch to the fixed batch size
            images = np.concatenate([images, np.repeat(images[:1], batch - count, axis=0)])
        try:
            (found,) = self._session.run(
                [self._interface.output], {self._interface.input: self._input(images)}
            )
        except Exception as error:
            raise DataError(f"onnxruntime cannot run {self._name}: {_first_line(error)}.") from error
        if not isinstance(found, np.ndarray) or found.ndim != 2 or len(found) != len(images):
            shape = list(getattr(found, "shape", ()))
            raise DataError(f"{self._name} must give embeddings [{len(images)}, length], got {shape}.")
        return found[:count].astype(np.float32, copy=False)

    def _input(self, images: np.ndarray) -> np.ndarray:
        """Convert pixels to the graph's input."""
        p = self._preprocessing
        images = images[..., ::-1] if self._interface.bgr else images
        if not self._interface.pixels:
            images = (images.astype(np.float32) - np.float32(p.mean)) / np.float32(p.divisor)
        if self._interface.channels_first:
            images = images.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(images)


def present(asked: torch.device | str) -> torch.device:
    """Return the device if it is available on this machine and in this PyTorch build.

    Raises:
        ConfigError: if it is not.
    """
    try:
        device = torch.device(asked)
        torch.zeros(1, device=device).cpu()  # the `meta` device cannot copy back
    # Each backend missing from a PyTorch build raises its own type of exception.
    except (RuntimeError, AssertionError, ImportError, TypeError) as error:
        raise ConfigError(
            f"device must be available here, such as cpu, got {asked}: {_first_line(error)}."
        ) from error
    return device


def _check_onnxruntime(device: torch.device | str | None, precision: str) -> None:
    """Reject options that onnxruntime does not support here.

    Raises:
        ConfigError: if onnxruntime is not installed, or the device or precision is only available in PyTorch.
    """
    if _missing():
        raise ConfigError(f"onnxruntime needs {_missing()}: pip install 'trsfnet[export]'.")
    if device is not None and present(device).type != "cpu":
        raise ConfigError(f"onnxruntime computes on the CPU here, got the device {device}.")
    if precision not in ("auto", "float32"):
        raise ConfigError(f"onnxruntime computes in float32 here, got the precision {precision}.")


def _missing() -> str:
    """Return the names of required packages that are not installed, joined by "and"."""
    needed = ("onnx", "onnxruntime")
    return " and ".join(name for name in needed if importlib.util.find_spec(name) is None)


def _first_line(error: Exception) -> str:
    return re.split(r"\n|\. ", str(error))[0].rstrip(".!")
