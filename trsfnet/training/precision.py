"""Which arithmetic a machine trains fastest in without harm, found out rather than asked."""

from __future__ import annotations

import torch

PRECISIONS = ("auto", "float32", "bfloat16")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def best_device() -> torch.device:
    """The first GPU, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def best_precision(device: torch.device) -> str:
    """`bfloat16` where the hardware multiplies matrices of it, `float32` elsewhere.

    On a CPU that means AMX: with AVX-512 or AVX2 alone, PyTorch emulates bfloat16 convolutions, several
    times slower than float32.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return "bfloat16" if has_amx() else "float32"
