"""Face verification: embeddings or scores in, dataclasses out."""

import lazy_loader

# Imported lazily: training needs none of these, and SciPy's statistics are slow to import.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
