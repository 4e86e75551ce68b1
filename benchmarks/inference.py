"""Embeddings by these networks, folded, beside facenet-pytorch's v1 and timm's v2 as their users run them.

`python -m benchmarks.inference` measures on the GPU if there is one, else on the CPU, and writes
`benchmarks/results/inference-gpu.json` or `inference.json`.

Variants: `rival` is facenet-pytorch's v1 or timm's v2 without classifier: evaluation, NCHW, eager, no
gradients, float32 (autocast on a GPU), from standardised input. `ours` is what `trsfnet.load` computes for a
network with trainable scales and slopes, `onnxruntime` the same network exported, in its own runtime on the
CPU, in float32. Both start from uint8 images, `ours` in the precision that suits the machine; on a GPU it is
compiled.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import measure
from trsfnet.inference.embedder import Embedder
from trsfnet.interop.description import Description
from trsfnet.interop.export import export
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.models import InceptionResnet
from trsfnet.training.precision import best_device, best_precision

AMX = measure.machine()["amx"]


@dataclass(frozen=True)
class Case:
    """One network at one size and batch.

    Attributes:
        version: `v1` or `v2`.
        batch: images at a time.
        size: side of the images in pixels.
        width: of our network.
    """

    version: str
    batch: int
    size: int = 160
    width: float = 1.0

    @property
    def title(self) -> str:
        """Its name in the tables."""
        return f"{self.version}, {self.size} px, batch {self.batch}"


CASES = tuple(Case(version, batch) for version in ("v1", "v2") for batch in (1, 32))


def target(device: torch.device) -> float:
    """Least speed over `rival` that is asked for."""
    if device.type == "cuda":
        return 2.5
    return 5.0 if AMX else 1.3


def random_weights(case: Case) -> Weights:
    """A network with trainable scales and slopes as it starts."""
    settings = {"version": case.version, "input_size": case.size, "width": case.width}
    settings |= {"residual_scale": "trainable", "activation": "prelu"}
    description = Description(case.title, "trsfnet", settings, Preprocessing(case.size))
    return Weights(description, InceptionResnet(**settings).state_dict())


def ours(case: Case, images: Tensor, device: torch.device) -> Callable[[], Any]:
    """A call of what `trsfnet.load` gives."""
    network: nn.Module = Embedder(random_weights(case), device=device).network
    if device.type == "cuda":
        network = torch.compile(network, mode="reduce-overhead")
    images = images.to(device)
    return lambda: network(images)


def rival(case: Case, images: Tensor, device: torch.device) -> Callable[[], Any]:
    """A call of the network that others use, imported only where they are compared."""
    if case.version == "v1":
        from facenet_pytorch import InceptionResnetV1

        model = InceptionResnetV1()
    else:
        import timm

        model = timm.create_model("inception_resnet_v2", num_classes=0)
    model = model.to(device).eval()
    x = ((images.permute(0, 3, 1, 2).float() - 127.5) / 128).contiguous().to(device)

    def call() -> Tensor:
        with torch.autocast(device.type, enabled=device.type == "cuda"):
            return model(x)

    return call


def onnxruntime(case: Case, images: Tensor) -> Callable[[], Any]:
    """A call of our export on the CPU, with as many threads as PyTorch has."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.onnx")
        export(random_weights(case), file)
        session = InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"images": images.numpy()})


@torch.inference_mode()
def measure_case(case: Case, rounds: int) -> dict[str, Any]:
    """Speed of every variant of one case, and our ratio."""
    torch.manual_seed(0)
    torch.compiler.reset()  # or the compiler counts the cases as recompilations and gives up
    device = best_device()
    images = torch.randint(256, (case.batch, case.size, case.size, 3), dtype=torch.uint8)
    calls = {"rival": rival(case, images, device), "ours": ours(case, images, device)}
    if device.type == "cpu":
        with torch.inference_mode(False):
            calls["onnxruntime"] = onnxruntime(case, images)
    # A call of a single image is too short to be timed alone.
    repeats = max(1, 32 // case.batch) if device.type == "cuda" else max(1, 4 // case.batch)
    seconds = measure.interleaved(
        {name: lambda call=call: _repeat(call, repeats, device) for name, call in calls.items()},
        rounds,
        case.title,
    )
    result = {
        "title": case.title,
        "precision": best_precision(device),
        "speed": {name: repeats * case.batch / statistics.median(s) for name, s in seconds.items()},
        "over_rival": {**measure.ratio(seconds["rival"], seconds["ours"]), "target": target(device)},
    }
    if "onnxruntime" in seconds:
        result["onnxruntime_over_rival"] = measure.ratio(seconds["rival"], seconds["onnxruntime"])
    return result


def _repeat(call: Callable[[], Any], repeats: int, device: torch.device) -> None:
    for _ in range(repeats):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds to take the median over (default 9)")
    rounds = parser.parse_args().rounds
    gpu = best_device().type == "cuda"
    result = {"rounds": rounds, "cases": [measure_case(case, rounds) for case in CASES]}
    measure.save("inference-gpu" if gpu else "inference", result)


if __name__ == "__main__":
    main()
