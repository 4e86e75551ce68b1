"""The paper's networks: Inception-ResNet v1 and v2, with fixed or trainable scales and slopes."""

from trsfnet.models.inception_resnet import (
    ARCHITECTURES,
    InceptionResnet,
    inception_resnet_v1,
    inception_resnet_v2,
)

__all__ = ["ARCHITECTURES", "InceptionResnet", "inception_resnet_v1", "inception_resnet_v2"]
