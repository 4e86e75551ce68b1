"""The folded network as an ONNX graph, written node by node.

A folded network is convolutions, activations, pools, sums and concatenations. `torch.onnx.export` finds that
out by tracing, for 45 seconds (v1) to 80 (v2); here it takes one or two. The graph has names, so that it can
be read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trsfnet.errors import ConfigError
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.models.folding import FoldedBranches, FoldedConv, FoldedInceptionResnet, FoldedResidual

# The oldest version of ONNX's operators that has all that is needed; any runtime since 2020 reads it.
_OPSET, _IR_VERSION = 13, 8
INPUT, OUTPUT = "images", "embeddings"


def build_graph(network: FoldedInceptionResnet, preprocessing: Preprocessing, *, unit: bool) -> Any:
    """An `onnx.ModelProto` from pixels, uint8 [N, size, size, 3], to embeddings, float32 [N, D].

    Args:
        network: on the CPU, in float32.
        preprocessing: becomes part of the graph.
        unit: scale the embeddings to unit length.

    Raises:
        ConfigError: the package onnx is missing.
    """
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise ConfigError("ONNX needs another package: pip install 'trsfnet[export]'.") from error
    size, width = preprocessing.size, network.last.out_features
    graph = _Graph()
    with torch.no_grad():
        x = graph.preprocess(INPUT, preprocessing)
        for name, stage in network.features.named_children():
            x = graph.module(stage, x, name)
        x = graph.embedding(network.last, x)
    graph.end(x, unit=unit)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "trsfnet",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["batch", size, size, 3])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", width])],
            graph.constants,
        ),
        producer_name="trsfnet",
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    model.ir_version = _IR_VERSION
    return model


class _Graph:
    """Nodes and constants as they come to be.

    Each method takes the name of a value and returns that of the value that it computes from it.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Add a node of one output, which is called as the node."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, value: Tensor | np.ndarray, name: str) -> str:
        """Add a constant."""
        from onnx import numpy_helper

        array = value.contiguous().numpy() if isinstance(value, Tensor) else value
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def preprocess(self, x: str, preprocessing: Preprocessing) -> str:
        """Pixels to the network's input, as `Preprocessing.standardise`."""
        from onnx import TensorProto

        x = self.node("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
        if preprocessing.channels == "BGR":
            x = self.node("Gather", [x, self.constant(np.array([2, 1, 0]), "bgr")], "reversed", axis=1)
        x = self.node("Cast", [x], "float", to=TensorProto.FLOAT)
        mean, divisor = (np.float32(value) for value in (preprocessing.mean, preprocessing.divisor))
        x = self.node("Sub", [x, self.constant(np.asarray(mean), "mean")], "centred")
        return self.node("Div", [x, self.constant(np.asarray(divisor), "divisor")], "standardised")

    def module(self, module: nn.Module, x: str, name: str) -> str:
        """Any part of a folded network."""
        if isinstance(module, nn.Sequential):
            for child, part in module.named_children():
                x = self.module(part, x, f"{name}.{child}")
            return x
        if isinstance(module, FoldedConv):
            return self.activation(self.convolution(module.conv, x, f"{name}.conv"), module.slope, name)
        if isinstance(module, FoldedBranches):
            branches = [
                self.module(branch, x, f"{name}.branch{i}") for i, branch in enumerate(module.branches)
            ]
            return self.node("Concat", branches, f"{name}.concat", axis=1)
        if isinstance(module, FoldedResidual):
            branch = self.convolution(module.up, self.module(module.branches, x, name), f"{name}.up")
            return self.activation(self.node("Add", [x, branch], f"{name}.sum"), module.slope, name)
        return self.pool(module, x, name)

    def convolution(self, conv: nn.Conv2d, x: str, name: str) -> str:
        """A convolution with its bias."""
        assert conv.bias is not None  # folding gives every convolution one
        weights = [
            self.constant(conv.weight, f"{name}.weight"),
            self.constant(conv.bias, f"{name}.bias"),
        ]
        return self.node(
            "Conv",
            [x, *weights],
            name,
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=[*conv.padding, *conv.padding],
        )

    def activation(self, x: str, slope: float | None, name: str) -> str:
        """ReLU, Leaky ReLU of a constant slope, or nothing."""
        if slope is None:
            return x
        if not slope:
            return self.node("Relu", [x], f"{name}.act")
        return self.node("LeakyRelu", [x], f"{name}.act", alpha=slope)

    def pool(self, pool: nn.Module, x: str, name: str) -> str:
        """Maximum or average."""
        kernel, stride, padding = (_pair(getattr(pool, n)) for n in ("kernel_size", "stride", "padding"))
        shape = {"kernel_shape": kernel, "strides": stride, "pads": [*padding, *padding]}
        if isinstance(pool, nn.MaxPool2d):
            return self.node("MaxPool", [x], name, **shape)
        if isinstance(pool, nn.AvgPool2d):
            padded = int(pool.count_include_pad)
            return self.node("AveragePool", [x], name, count_include_pad=padded, **shape)
        raise TypeError(f"A folded network has no {type(pool).__name__}.")

    def embedding(self, last: nn.Linear, x: str) -> str:
        """The mean over the feature map, and the linear layer."""
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x], "mean_pool")], "features", axis=1)
        weights = [self.constant(last.weight, "last.weight"), self.constant(last.bias, "last.bias")]
        return self.node("Gemm", [x, *weights], "outputs", transB=1)

    def end(self, x: str, *, unit: bool) -> None:
        """Call the embeddings as the graph's output is called."""
        kind, attributes = ("LpNormalization", {"axis": 1, "p": 2}) if unit else ("Identity", {})
        self.node(kind, [x], OUTPUT, **attributes)


def _pair(value: int | tuple[int, int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
