"""Synthetic faces rendered from a seed: the default data set, which requires no download.

The geometry (head, jaw, brows, eyes, nose, mouth, ears, hair) and the albedo (skin, eyes, lips, brows, hair)
are drawn once for each identity. Everything else is drawn for each image: pose, light, expression, glasses,
cap, occlusion, background, focus and noise. Every number is a hash of (seed, identity, sample, the number's
name), so an image depends on nothing else, and adding a parameter to the tables does not change the values
of the others.
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
