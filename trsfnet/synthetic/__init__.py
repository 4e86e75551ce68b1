"""Faces from a seed: the default data set, for which nothing has to be downloaded.

An identity is a draw of geometry (head, jaw, brows, eyes, nose, mouth, ears, hair) and of albedo (skin, eyes,
lips, brows, hair). Everything else is sampled for each image: pose, light, expression, glasses, cap,
occlusion, background, focus and noise. Every number is a hash of (seed, identity, sample, the number's name),
so an image depends on nothing else, and a parameter added to the tables does not change the values of the
others.
"""

from trsfnet.synthetic.faces import DEFAULT_DIFFICULTY, RENDERER_VERSION, RenderedFaces, render_faces
from trsfnet.synthetic.factors import NUISANCES, TRAITS, Event, Nuisance, Trait

__all__ = [
    "DEFAULT_DIFFICULTY",
    "NUISANCES",
    "RENDERER_VERSION",
    "TRAITS",
    "Event",
    "Nuisance",
    "RenderedFaces",
    "Trait",
    "render_faces",
]
