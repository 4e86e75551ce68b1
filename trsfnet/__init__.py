"""Reproducible companion to "More Trainable Inception-ResNet for Face Recognition" (Peng et al., 2020)."""

__version__ = "0.1.0"
