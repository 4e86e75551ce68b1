"""A module that maps pixels to unit-length embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trsfnet.errors import DataError
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.models.folding import FoldedInceptionResnet, fold


class EmbeddingNetwork(nn.Module):
    """Maps pixels to unit-length embeddings, including preprocessing; this is what `.pt2` files contain.

    Args:
        network: a network whose batch normalisation is folded into its convolutions.
        preprocessing: preprocessing from pixels to the network's input.
        dtype: type in which the convolutions are computed.
    """

    def __init__(
        self,
        network: FoldedInceptionResnet,
        preprocessing: Preprocessing,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.network = network
        self.network.features.to(dtype)
        self.preprocessing = preprocessing
        self.dtype = dtype

    def outputs(self, images: Tensor) -> Tensor:
        """Map uint8 [N, size, size, 3], RGB, to float32 [N, embedding_size], not normalised."""
        features = self.network.features(self.preprocessing.standardise(images).to(self.dtype))
        return self.network.last(features.float().mean(dim=(2, 3)))

    def forward(self, images: Tensor) -> Tensor:
        """Map uint8 [N, size, size, 3], RGB, to float32 [N, embedding_size], rows of unit length."""
        return nn.functional.normalize(self.outputs(images))


def embedding_network(weights: Weights, dtype: torch.dtype = torch.float32) -> EmbeddingNetwork:
    """Build the folded network of `weights` on the CPU with its preprocessing; for errors see `folded`."""
    return EmbeddingNetwork(folded(weights), weights.description.preprocessing, dtype).eval()


def folded(weights: Weights) -> FoldedInceptionResnet:
    """Build the folded network of `weights` on the CPU, in float32.

    Raises:
        DataError: if the weights are not those of a complete network, or have no bottleneck.
    """
    if not weights.has_bottleneck:
        raise DataError(
            f"{weights.description.name} produces no embeddings: it was trained on ImageNet and has no "
            "bottleneck. trsfnet.load_network loads it for training."
        )
    return fold(weights.build().float())  # whatever PyTorch's default type is
