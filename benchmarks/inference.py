"""Compare embedding by `trsfnet.load(...).embed` with facenet-pytorch's v1 and timm's v2 in default use.

`python -m benchmarks.inference` measures on the GPU if there is one, otherwise on the CPU, and writes
`benchmarks/results/inference-gpu.json` or `inference.json`.

Variants: `rival` is facenet-pytorch's v1 or timm's v2 without classifier: evaluation mode, NCHW, eager, no
gradients, float32 (autocast on a GPU), from standardised input. The others embed uint8 images with a network
that has trainable scales and slopes: `trsfnet.load` uses the engine and the precision that it chooses,
`torch` uses PyTorch. On a GPU, `torch compiled` is the compiled PyTorch network. On a CPU, `int8` is the file
that `trsfnet export --int8` writes, here calibrated on noise, which does not affect the speed.

On a CPU, a large float32 matrix product alternates with the variants. Each variant's share of its speed
follows from the number of multiplications in the network: if the rival reaches more than half, no float32
computation of the same sums can be twice as fast.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import measure
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.engines import TorchEngine
from trsfnet.interop.description import Description
from trsfnet.interop.embedding_network import folded
from trsfnet.interop.int8 import calibrated
from trsfnet.interop.models import read_model
from trsfnet.interop.onnx_graph import build_graph
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.summary import macs_per_image
from trsfnet.interop.weights import Weights
from trsfnet.models import InceptionResnet
from trsfnet.training.precision import best_device

AMX = measure.machine()["amx"]
OURS = "trsfnet.load"
PRODUCT = "matrix product"
# Side of the matrices, and number of products per measurement, which takes about a second.
SIDE, PRODUCTS = 2048, 5


@dataclass(frozen=True)
class Case:
    """One network at one image size and batch size.

    Attributes:
        version: `v1` or `v2`.
        batch: images per batch.
        size: side of the images in pixels.
        width: width factor of our network.
    """

    version: str
    batch: int
    size: int = 160
    width: float = 1.0

    @property
    def title(self) -> str:
        """Its name in the tables."""
        return f"{self.version}, {self.size} px, batch {self.batch}"

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of our network, with trainable scales and slopes."""
        shape = {"version": self.version, "input_size": self.size, "width": self.width}
        return shape | {"residual_scale": "trainable", "activation": "prelu"}


CASES = tuple(Case(version, batch) for version in ("v1", "v2") for batch in (1, 32))


def target(device: torch.device, case: Case) -> float:
    """The required speed of `trsfnet.load` relative to `rival`."""
    if device.type == "cuda":
        return 2.5
    if AMX:
        return 5.0
    return 3.2 if case.batch == 1 else 1.9


def random_weights(case: Case) -> Weights:
    """A newly initialised network with trainable scales and slopes."""
    description = Description(case.title, "trsfnet", case.settings, Preprocessing(case.size))
    return Weights(description, InceptionResnet(**case.settings).state_dict())


def compiled(embedder: Embedder) -> Callable[[np.ndarray], Any]:
    """The compiled PyTorch network of an embedder."""
    assert isinstance(embedder.engine, TorchEngine)
    network, device = torch.compile(embedder.engine.network, mode="reduce-overhead"), embedder.engine.device
    return lambda images: network(torch.from_numpy(images).to(device))


def in_int8(weights: Weights, images: np.ndarray) -> Embedder:
    """The network in 8-bit integers, loaded from a file as users do."""
    preprocessing = weights.description.preprocessing
    graph = calibrated(build_graph(folded(weights), preprocessing, unit=True), images[:4])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "int8.onnx")
        file.write_bytes(graph.SerializeToString())
        # The graph takes pixels and scales them itself.
        return Embedder(read_model(file, Preprocessing(preprocessing.size, mean=0.0, divisor=1.0)))


def matrix_product() -> Callable[[], Any]:
    """A float32 product of two square matrices of side `SIDE`, with the same threads as the variants."""
    a, b, product = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE), torch.empty(SIDE, SIDE)
    return lambda: torch.mm(a, b, out=product)


def rival(case: Case, images: np.ndarray, device: torch.device) -> Callable[[], Any]:
    """A call of the rival network; its package is imported only when it is measured."""
    if case.version == "v1":
        from facenet_pytorch import InceptionResnetV1

        model = InceptionResnetV1()
    else:
        import timm

        model = timm.create_model("inception_resnet_v2", num_classes=0)
    model = model.to(device).eval()
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    x = ((pixels - 127.5) / 128).contiguous().to(device)

    def call() -> Tensor:
        with torch.autocast(device.type, enabled=device.type == "cuda"):
            return model(x)

    return call


def calls(case: Case, device: torch.device) -> tuple[dict[str, Callable[[], Any]], Embedder]:
    """A call of every variant, and the embedder that `trsfnet.load` chooses."""
    images = np.random.default_rng(0).integers(0, 256, (case.batch, case.size, case.size, 3), dtype=np.uint8)
    weights = random_weights(case)
    ours, by_torch = Embedder(weights), Embedder(weights, engine="torch", device=device)
    variants = {
        "rival": rival(case, images, device),
        OURS: lambda: ours.embed(images),
        "torch": lambda: by_torch.embed(images),
    }
    if device.type == "cuda":
        network = compiled(by_torch)
        variants["torch compiled"] = lambda: network(images)
    else:
        small = in_int8(weights, images)
        variants["int8"] = lambda: small.embed(images)
    return variants, ours


@torch.inference_mode()
def measure_case(case: Case, rounds: int) -> dict[str, Any]:
    """Measure the speed of every variant of one case, and its ratio to the rival's."""
    torch.manual_seed(0)
    torch.compiler.reset()  # otherwise, the compiler counts the cases as recompilations and gives up
    device = best_device()
    with torch.inference_mode(False):
        variants, ours = calls(case, device)
        product = matrix_product()
    # A call with a single image is too short to be timed on its own.
    repeats = max(1, 32 // case.batch) if device.type == "cuda" else max(1, 4 // case.batch)
    turns = {name: lambda call=call: _repeat(call, repeats, device) for name, call in variants.items()}
    if device.type == "cpu":
        turns[PRODUCT] = lambda: _repeat(product, PRODUCTS, device)
    seconds = measure.interleaved(turns, rounds, case.title)
    products = seconds.pop(PRODUCT, None)
    return {
        "title": case.title,
        "engine": ours.engine.name,
        "precision": ours.engine.precision,
        "target": target(device, case),
        "speed": {name: repeats * case.batch / statistics.median(s) for name, s in seconds.items()},
        "over_rival": {
            name: measure.ratio(seconds["rival"], s) for name, s in seconds.items() if name != "rival"
        },
        **({} if products is None else shares(case, repeats, products, seconds)),
    }


def shares(
    case: Case, repeats: int, products: list[float], seconds: dict[str, list[float]]
) -> dict[str, Any]:
    """The speed of the matrix product, and the share of it that each variant's network reaches.

    Args:
        case: the case that was measured.
        repeats: number of calls per measurement of a variant.
        products: seconds of the `PRODUCTS` products in each round.
        seconds: seconds of each round, by variant.
    """
    macs = macs_per_image(case.settings)
    work = repeats * case.batch * macs / (PRODUCTS * SIDE**3)  # a variant's work relative to the products'
    return {
        "macs": macs,
        "product_gflops": 2e-9 * PRODUCTS * SIDE**3 / statistics.median(products),
        "share": {
            name: measure.ratio([work * time for time in products], times) for name, times in seconds.items()
        },
    }


def _repeat(call: Callable[[], Any], repeats: int, device: torch.device) -> None:
    for _ in range(repeats):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = measure.command_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds to take the median over (default 9)")
    rounds = parser.parse_args().rounds
    gpu = best_device().type == "cuda"
    result = {"rounds": rounds, "cases": [measure_case(case, rounds) for case in CASES]}
    measure.save("inference-gpu" if gpu else "inference", result)


if __name__ == "__main__":
    main()
