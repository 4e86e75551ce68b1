"""Which arithmetic a machine trains fastest in without harm, found out rather than asked."""

from __future__ import annotations

import torch

PRECISIONS = ("auto", "float32", "bfloat16")
_BFLOAT16_ON_CPUS = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def best_device() -> torch.device:
    """The first GPU, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def best_precision(device: torch.device) -> str:
    """`bfloat16` where the hardware multiplies matrices of it, `float32` elsewhere.

    On a CPU that means AMX, or AVX-512's bfloat16: with AVX-512 or AVX2 alone, PyTorch emulates bfloat16
    convolutions, several times slower than float32.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    # PyTorch knows what the CPU has, but has no public function that says so.
    known = (getattr(torch.cpu, name, None) for name in _BFLOAT16_ON_CPUS)
    return "bfloat16" if any(supported is not None and supported() for supported in known) else "float32"
