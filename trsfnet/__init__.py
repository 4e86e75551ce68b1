"""Reproducible companion to "More Trainable Inception-ResNet for Face Recognition" (Peng et al., 2020)."""

import lazy_loader

__version__ = "0.1.0"

# Imported on first use, because importing PyTorch alone takes seconds.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
