"""Renders a head as a shaded relief: from named face parameters to an image, vectorised over the batch.

The head is one surface in cylindrical coordinates: the distance `r(theta, y)` from a vertical axis through
the ears. In its own frame, `x` points to the image's right, `y` up and `z` to the viewer; the eyes are
near `y = 0`, the top of the skull near `y = 1` and the chin near `y = -1`. An image is made in four steps:

1. *Plan* (`make_plan`): everything of one dimension, for many faces at once: profiles of the head, the
   factors of the features' separable bumps, the hairline, the lights' directions.
2. *Surface* (`paint_surface`): relief and albedo on a map of `rows` (y) by `columns` (theta). One
   batched matrix product evaluates all bumps; lids, lips and brows are curves painted in small windows. Then
   normals from finite differences, Lambert, ambient occlusion, a cast shadow and a highlight. The view is
   orthographic, so every term can be computed on the map, before the view is known.
3. *View* (`project`): each pixel's ray is intersected with the surface, whose colour is sampled there.
4. *Photograph* (`photograph`): background, occlusion, focus, tone and noise.
"""

from __future__ import annotations

from trsfnet.synthetic.rendering.arithmetic import Params
from trsfnet.synthetic.rendering.grid import map_shape
from trsfnet.synthetic.rendering.photo import photograph, scenery
from trsfnet.synthetic.rendering.plan import Plan, make_plan
from trsfnet.synthetic.rendering.surface import Surface, paint_surface
from trsfnet.synthetic.rendering.view import project

__all__ = [
    "Params",
    "Plan",
    "Surface",
    "make_plan",
    "map_shape",
    "paint_surface",
    "photograph",
    "project",
    "scenery",
]
