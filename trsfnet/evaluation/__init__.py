"""Face verification: embeddings or scores in, dataclasses out."""

import lazy_loader

# Imported when they are first asked for: a training needs none of them, and SciPy's statistics take long.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
