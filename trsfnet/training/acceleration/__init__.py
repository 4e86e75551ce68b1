"""Everything that makes training fast. The networks do not depend on it and compute the same without it."""

from trsfnet.training.acceleration.swap import Acceleration, accelerate, restore

__all__ = ["Acceleration", "accelerate", "restore"]
