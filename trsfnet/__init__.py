"""Reproducible companion to "More Trainable Inception-ResNet for Face Recognition" (Peng et al., 2020)."""

import os

import lazy_loader

__version__ = "0.1.0"

# Where memory runs out, Arrow's own allocator crashes or hangs the process. This has no effect once pyarrow
# is imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# Imported on first use, because importing PyTorch alone takes seconds.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
