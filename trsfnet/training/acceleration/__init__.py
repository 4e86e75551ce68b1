"""What makes training fast, beside the networks: they know nothing of it, and compute the same without it."""

from trsfnet.training.acceleration.swap import Acceleration, accelerate, restore

__all__ = ["Acceleration", "accelerate", "restore"]
