"""Compare a full training step (forward, backward, SGD) of our networks with plain and rival ones.

`python -m benchmarks.step` measures on the GPU if there is one, otherwise on the CPU, and writes
`benchmarks/results/step-gpu.json` or `step.json` after each case. On a GPU, compiling takes minutes per case;
`--only "v1, 160 px, batch 85"` runs one case only.

Variants: `rival` is facenet-pytorch's v1 as its example trains it, or timm's v2 trained in the same way:
float32 (autocast on a GPU), NCHW, eager. `ours` is the computation of `trsfnet train`; `plain` is the same
network and precision without `trsfnet.training.acceleration`. All take the same SGD steps.

Further variants put these in context. `ours constant`, with Leaky ReLU, shows the cost of a slope that is not
trained. On the CPU, `compiled trainable` shows the effect of PyTorch's compiler on a narrow network. On a CPU
with AVX-512's bfloat16 but without AMX, everything is measured in float32; `bfloat16 trainable` is measured
in addition, because training uses bfloat16 there.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import measure
from trsfnet.data.augment import augment, standardise
from trsfnet.models import InceptionResnet
from trsfnet.training.acceleration import accelerate
from trsfnet.training.acceleration.graphs import capture
from trsfnet.training.acceleration.regions import compile_regions
from trsfnet.training.precision import DTYPES, best_device, best_precision

IDENTITIES = 512
TRAINABLE = {"residual_scale": "trainable", "activation": "prelu"}
SETTINGS = {"fixed": {}, "constant": {"activation": "leaky_relu"}, "trainable": TRAINABLE}
VARIANTS = ("ours trainable", "ours constant", "ours fixed", "plain trainable", "plain fixed")
AMX = measure.machine()["amx"]
BFLOAT16_BESIDE = not AMX and getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()


@dataclass(frozen=True)
class Case:
    """One network at one image size, with its targets.

    Attributes:
        title: its name in the tables.
        version: `v1` or `v2`.
        size: side of the images in pixels.
        batch: images per step.
        width: width factor of the network.
        over_rival: required speed relative to `rival`; None to leave out the rival.
        over_plain: required speed relative to `plain`; None if there is no target.
        narrow: True for a narrow network, whose training is short, so that on a GPU it is captured instead of
            compiled. On the CPU, calls take more of its time than arithmetic, so a compiled variant is
            measured, too.
    """

    title: str
    version: str
    size: int
    batch: int
    width: float = 1.0
    over_rival: float | None = None
    over_plain: float | None = None
    narrow: bool = False


NARROW = Case("v1, quarter width, 96 px, batch 64", "v1", 96, 64, width=0.25, over_plain=1.5, narrow=True)
CPU_CASES = (
    Case("v1, 160 px, batch 32", "v1", 160, 32, over_rival=4.0 if AMX else 1.0),
    Case("v2, 160 px, batch 32", "v2", 160, 32, over_rival=3.5 if AMX else 1.0),
    NARROW,
)
GPU_CASES = (
    NARROW,
    *(
        Case(f"{version}, {size} px, batch {batch}", version, size, batch, over_rival=2.5)
        for size, batch in ((160, 85), (160, 512), (112, 512))
        for version in ("v1", "v2")
    ),
)
TRAINABILITY = 1.05


class Step:
    """One variant of a case; each call takes a training step."""

    def __init__(self, case: Case, variant: str, device: torch.device) -> None:
        torch.manual_seed(0)
        self.device = device
        self.precision = "float32" if BFLOAT16_BESIDE else best_precision(device)
        self.format = torch.channels_last
        if variant == "rival":
            self.model, self.format = _rival(case.version), torch.contiguous_format
            self.precision = "float32" if device.type == "cpu" else self.precision
        else:
            kind, settings = variant.split()
            self.model = nn.Sequential(_network(case, settings), nn.Linear(512, IDENTITIES))
            if kind != "plain":
                accelerate(self.model)
            self.precision = kind if kind in DTYPES else self.precision
        self.model.to(device, memory_format=self.format).train()
        if device.type == "cuda" and variant.startswith("ours") and case.narrow:
            capture(self.model[0], case.batch, DTYPES[self.precision])
        elif variant.startswith("compiled") or (device.type == "cuda" and variant.startswith("ours")):
            compile_regions(self.model[0])
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=0.01, momentum=0.9, nesterov=True, fused=True
        )
        self.images = torch.randint(256, (case.batch, case.size, case.size, 3), dtype=torch.uint8)
        self.labels = torch.randint(IDENTITIES, (case.batch,)).to(device)
        if device.type == "cuda":
            self.images = self.images.pin_memory()
        self.input = self._input()

    def _input(self) -> Tensor:
        """The network's input: the images, standardised and augmented on the device."""
        x = standardise(self.images.to(self.device, non_blocking=True))
        x = augment(x, torch.Generator().manual_seed(0), flip=True, rotate=10, shift=0.05)
        return x.contiguous(memory_format=self.format)

    def autocast(self) -> torch.autocast:
        """A context that sets the precision of the forward pass."""
        dtype = DTYPES[self.precision]
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)

    def __call__(self) -> None:
        """Take a step: on a GPU from images in host memory, on the CPU from the prepared input."""
        x = self._input() if self.device.type == "cuda" else self.input
        with self.autocast():
            logits = self.model(x)
        loss = F.cross_entropy(logits.float(), self.labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def _network(case: Case, settings: str) -> InceptionResnet:
    return InceptionResnet(version=case.version, input_size=case.size, width=case.width, **SETTINGS[settings])


def _rival(version: str) -> nn.Module:
    """facenet-pytorch's v1 or timm's v2 with its own classifier; the package is imported only when needed."""
    if version == "v1":
        from facenet_pytorch import InceptionResnetV1

        return InceptionResnetV1(classify=True, num_classes=IDENTITIES)
    import timm

    return timm.create_model("inception_resnet_v2", num_classes=IDENTITIES)


def bytes_kept(model: nn.Module, x: Tensor) -> int:
    """Bytes that a forward pass of `x` saves for the backward pass, without parameters and input."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = model(x)
    for known in (x, *model.parameters()):
        kept.pop(known.untyped_storage().data_ptr(), None)
    del output  # kept all tensors alive until here, so that no address was reused
    return sum(kept.values())


def peak_memory(case: Case, variant: str) -> int:
    """Peak memory in bytes of this whole process during two steps on the CPU (Linux only)."""
    step = Step(case, variant, torch.device("cpu"))
    step()
    step()
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def in_own_process(function: Callable[..., int], *arguments: Any) -> int:
    """Call `function(*arguments)` in a fresh process, so that nothing else is in its memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


@dataclass(frozen=True)
class Ready:
    """A variant that has taken its first steps.

    Attributes:
        step: takes the next step.
        peak: peak memory in bytes: of the variant and its step on a GPU, of a separate process on the CPU.
        first: seconds of the first step, including compilation on a GPU.
    """

    step: Step
    peak: int
    first: float


def on_gpu(case: Case, variant: str) -> Ready:
    """Prepare a variant on the GPU, compiled and tuned."""
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    step = Step(case, variant, best_device())
    started = time.perf_counter()
    step()
    first = time.perf_counter() - started
    step()
    torch.cuda.reset_peak_memory_stats()
    step()
    peak = torch.cuda.max_memory_allocated() - before
    step.optimizer.zero_grad(set_to_none=True)
    torch.cuda.empty_cache()  # release its cached memory for the next variant
    return Ready(step, peak, first)


def on_cpu(case: Case, variant: str) -> Ready:
    """Prepare a variant on the CPU."""
    peak = in_own_process(peak_memory, case, variant)
    step = Step(case, variant, torch.device("cpu"))
    started = time.perf_counter()
    step()
    return Ready(step, peak, time.perf_counter() - started)


def measure_case(case: Case, rounds: int) -> dict[str, Any]:
    """Measure speed, ratios and memory of every variant of one case."""
    gpu = best_device().type == "cuda"
    names = ["rival", *VARIANTS] if case.over_rival else list(VARIANTS)
    if case.narrow and not gpu:
        names.append("compiled trainable")
    if BFLOAT16_BESIDE and not gpu:
        names.append("bfloat16 trainable")
    torch.compiler.reset()  # otherwise, the compiler counts the cases as recompilations and gives up
    ready = {name: (on_gpu if gpu else on_cpu)(case, name) for name in names}
    steps = {name: each.step for name, each in ready.items()}
    seconds = measure.interleaved(steps, rounds, case.title)
    speed = {name: case.batch / statistics.median(times) for name, times in seconds.items()}

    def ratio(above: str, below: str) -> dict[str, float] | None:
        """Time of one variant divided by another's; None if either was left out."""
        return measure.ratio(seconds[above], seconds[below]) if {above, below} <= seconds.keys() else None

    result = {
        "title": case.title,
        "precision": steps["ours trainable"].precision,
        "speed": speed,
        "peak": {name: each.peak for name, each in ready.items()},
        "first": {name: each.first for name, each in ready.items()},
        "over_rival": _target(ratio("rival", "ours trainable"), case.over_rival),
        "over_plain": _target(ratio("plain trainable", "ours trainable"), case.over_plain),
        "trainability": {
            kind: _target(ratio(f"{kind} trainable", f"{kind} fixed"), TRAINABILITY)
            for kind in ("ours", "plain")
        },
        "constant": ratio("ours constant", "ours fixed"),
        "compiled_over_plain": ratio("plain trainable", "compiled trainable"),
        "bfloat16_over_float32": ratio("ours trainable", "bfloat16 trainable"),
    }
    if gpu:
        result["tflops"] = flops(case) * speed["ours trainable"] / 1e12
        result["parts"] = parts(steps["ours trainable"], seconds=statistics.median(seconds["ours trainable"]))
    else:  # only without a compiler, which decides itself what to save
        result["kept"] = {}
        for name, step in steps.items():
            with step.autocast():
                result["kept"][name] = bytes_kept(step.model, step.input)
    return result


def parts(step: Step, *, seconds: float) -> dict[str, float]:
    """Shares of a step's `seconds` by the kind of GPU kernel."""
    took = dict.fromkeys([*_KERNELS, "the rest"], 0.0)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        step()
    for event in profile.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            took[kernel_kind(event.name)] += event.time_range.elapsed_us() / 1e6
    busy = sum(took.values())
    return {kind: part / seconds for kind, part in took.items()} | {"idle": max(0.0, 1 - busy / seconds)}


# Words in kernel names. Convolutions run as matrix products, often with names of matrix products.
_KERNELS = {
    "convolutions": ("conv", "gemm", "xmma", "cutlass", "cudnn", "nvjet", "wgrad", "dgrad", "fprop"),
    "compiled norms, activations and sums": ("triton",),
    "copies": ("memcpy", "memset", "copy"),
}


def kernel_kind(name: str) -> str:
    """The entry of `parts` to which a kernel belongs."""
    name = name.lower()
    if "triton" in name:  # names the operations that it fuses, including those next to convolutions
        return "compiled norms, activations and sums"
    return next((kind for kind, words in _KERNELS.items() if any(w in name for w in words)), "the rest")


def _target(ratio: dict[str, float] | None, target: float | None) -> dict[str, float | None] | None:
    return ratio and {**ratio, "target": target}


def flops(case: Case) -> float:
    """Floating-point operations of the matrix products in one image's forward and backward pass."""
    model, x = _network(case, "trainable").train(), torch.randn(2, 3, case.size, case.size)
    with FlopCounterMode(display=False) as counter:
        model(x).sum().backward()
    return counter.get_total_flops() / len(x)


def matmul_tflops() -> float:
    """The GPU's bfloat16 rate in TFLOP/s for a large matrix product, which it computes efficiently."""
    side = 8192
    a, b = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(20):
        torch.cuda.synchronize()
        started = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best / 1e12


def main() -> None:
    parser = measure.command_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds to take the median over (default 7)")
    parser.add_argument("--only", default="", metavar="TITLE", help="cases whose title has this in it")
    options = parser.parse_args()
    gpu = best_device().type == "cuda"
    result: dict[str, Any] = {"rounds": options.rounds, "cases": []}
    torch.compiler.config.force_disable_caches = True  # the first step is like that on a new machine
    if gpu:
        torch.backends.cudnn.benchmark = True  # for all variants; our loop sets it, a rival's may
        result["matmul_tflops"] = matmul_tflops()
    for case in GPU_CASES if gpu else CPU_CASES:
        if options.only in case.title:
            result["cases"].append(measure_case(case, options.rounds))
            measure.save("step-gpu" if gpu else "step", result)


if __name__ == "__main__":
    main()
