"""Code that speeds up training. The networks do not depend on it and compute the same results without it."""

from trsfnet.training.acceleration.swap import Acceleration, accelerate, restore

__all__ = ["Acceleration", "accelerate", "restore"]
