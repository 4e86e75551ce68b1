"""Detects the device and the precision in which this machine trains fastest without loss of quality."""

from __future__ import annotations

import torch

PRECISIONS = ("auto", "float32", "bfloat16")
_BFLOAT16_ON_CPUS = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def best_device() -> torch.device:
    """The default GPU if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def best_precision(device: torch.device) -> str:
    """`bfloat16` if the hardware has bfloat16 matrix multiplication, otherwise `float32`.

    On a CPU, that requires AMX or AVX-512's bfloat16 instructions. With AVX-512 or AVX2 alone, PyTorch
    emulates bfloat16 convolutions, which is several times slower than float32.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    # PyTorch has no public function that tells which of these instructions the CPU has.
    known = (getattr(torch.cpu, name, None) for name in _BFLOAT16_ON_CPUS)
    return "bfloat16" if any(supported is not None and supported() for supported in known) else "float32"
