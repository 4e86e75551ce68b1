"""Build the folded network as an ONNX graph, node by node.

A folded network consists of convolutions, activations, pooling, sums and concatenations. `torch.onnx.export`
determines this by tracing, which takes 45 seconds (v1) to 80 (v2); building the graph directly takes one or
two. Nodes and constants have names, so that the graph is readable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trsfnet.errors import ConfigError
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.models.folding import FoldedBranches, FoldedConv, FoldedInceptionResnet, FoldedResidual

# The oldest ONNX operator set with all required operators; supported by every runtime since 2020.
_OPSET, _IR_VERSION = 13, 8
INPUT, OUTPUT = "images", "embeddings"


def build_graph(network: FoldedInceptionResnet, preprocessing: Preprocessing, *, unit: bool) -> Any:
    """Build an `onnx.ModelProto` from pixels, uint8 [N, size, size, 3], to embeddings, float32 [N, D].

    Args:
        network: the folded network, on the CPU, in float32.
        preprocessing: preprocessing, which becomes part of the graph.
        unit: scale the embeddings to unit length.

    Raises:
        ConfigError: if the onnx package is missing.
    """
    try:
        from onnx import TensorProto, helper  # optional: in the extra `export`
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
    """A graph under construction.

    Each method takes the name of a value and returns the name of the value computed from it.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Add a node with one output, which has the node's name."""
        from onnx import helper  # optional: in the extra `export`

        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, value: Tensor | np.ndarray, name: str) -> str:
        """Add a constant."""
        from onnx import numpy_helper  # optional: in the extra `export`

        array = value.contiguous().numpy() if isinstance(value, Tensor) else value
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def preprocess(self, x: str, preprocessing: Preprocessing) -> str:
        """Convert pixels to the network's input, as `Preprocessing.standardise` does."""
        from onnx import TensorProto  # optional: in the extra `export`

        x = self.node("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
        if preprocessing.channels == "BGR":
            x = self.node("Gather", [x, self.constant(np.array([2, 1, 0]), "bgr")], "reversed", axis=1)
        x = self.node("Cast", [x], "float", to=TensorProto.FLOAT)
        mean, divisor = (np.float32(value) for value in (preprocessing.mean, preprocessing.divisor))
        x = self.node("Sub", [x, self.constant(np.asarray(mean), "mean")], "centred")
        return self.node("Div", [x, self.constant(np.asarray(divisor), "divisor")], "standardised")

    def module(self, module: nn.Module, x: str, name: str) -> str:
        """Add any part of a folded network."""
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
        """Add a convolution with its bias."""
        assert conv.bias is not None  # folding gives every convolution a bias
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
        """Add a ReLU, a Leaky ReLU with constant slope, or nothing."""
        if slope is None:
            return x
        if not slope:
            return self.node("Relu", [x], f"{name}.act")
        return self.node("LeakyRelu", [x], f"{name}.act", alpha=slope)

    def pool(self, pool: nn.Module, x: str, name: str) -> str:
        """Add maximum or average pooling."""
        kernel, stride, padding = (_pair(getattr(pool, n)) for n in ("kernel_size", "stride", "padding"))
        shape = {"kernel_shape": kernel, "strides": stride, "pads": [*padding, *padding]}
        if isinstance(pool, nn.MaxPool2d):
            return self.node("MaxPool", [x], name, **shape)
        if isinstance(pool, nn.AvgPool2d):
            padded = int(pool.count_include_pad)
            return self.node("AveragePool", [x], name, count_include_pad=padded, **shape)
        raise TypeError(f"A folded network has no {type(pool).__name__}.")

    def embedding(self, last: nn.Linear, x: str) -> str:
        """Add the mean over the feature map and the linear layer."""
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x], "mean_pool")], "features", axis=1)
        weights = [self.constant(last.weight, "last.weight"), self.constant(last.bias, "last.bias")]
        return self.node("Gemm", [x, *weights], "outputs", transB=1)

    def end(self, x: str, *, unit: bool) -> None:
        """Give the embeddings the name of the graph's output, scaled to unit length if `unit`."""
        kind, attributes = ("LpNormalization", {"axis": 1, "p": 2}) if unit else ("Identity", {})
        self.node(kind, [x], OUTPUT, **attributes)


def _pair(value: int | tuple[int, int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
