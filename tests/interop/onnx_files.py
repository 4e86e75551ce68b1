"""Small networks of others as ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 4


def weights() -> np.ndarray:
    """float32 [12, WIDTH], what the quarters of each channel are multiplied by."""
    return np.random.default_rng(0).normal(size=(12, WIDTH)).astype(np.float32)


def others(
    path: Path, *, size: int | None = 8, batch: int | None = None, kind: int = TensorProto.FLOAT
) -> Any:
    """A network of others, [N, 3, size, size] -> [N, WIDTH]: the mean of each quarter, and a matrix."""
    half = size // 2
    nodes = [
        helper.make_node("Cast", ["data"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node(
            "AveragePool", ["numbers"], ["means"], kernel_shape=[half, half], strides=[half, half]
        ),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "others",
        [helper.make_tensor_value_info("data", kind, [batch or "N", 3, size, size])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch or "N", WIDTH])],
        [numpy_helper.from_array(weights(), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return model


def expected(images: np.ndarray, mean: float, divisor: float, *, bgr: bool = False) -> np.ndarray:
    """What `others` gives for uint8 [N, 8, 8, 3], as unit vectors."""
    x = (images[..., ::-1] if bgr else images).astype(np.float64).transpose(0, 3, 1, 2)
    quarters = ((x - mean) / divisor).reshape(len(x), 3, 2, 4, 2, 4).mean(axis=(3, 5))
    out = quarters.reshape(len(x), -1) @ weights()
    return out / np.linalg.norm(out, axis=1, keepdims=True)
