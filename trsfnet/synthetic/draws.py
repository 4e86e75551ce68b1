"""Draws every number that the renderer needs from the keys of identities and samples."""

from __future__ import annotations

import torch

from trsfnet.synthetic.factors import NUISANCES, TRAITS, Event
from trsfnet.synthetic.noise import uniform
from trsfnet.synthetic.rendering import Params

# Number of waves in a background.
_WAVES = 6


def draw_traits(keys: torch.Tensor) -> Params:
    """Draw every entry of `TRAITS` for identities with these keys; each is float32 `[N]`."""
    draws = uniform(keys, list(TRAITS))
    return {
        name: (trait.low + (trait.high - trait.low) * draws[:, i]).clamp_min(trait.floor)
        for i, (name, trait) in enumerate(TRAITS.items())
    }


def draw_nuisances(keys: torch.Tensor, difficulty: float) -> Params:
    """Draw every entry of `NUISANCES` for samples with these keys; each is float32 `[N]`."""
    first = uniform(keys, list(NUISANCES))
    second = uniform(keys, [f"{name}, again" for name in NUISANCES])
    values = {}
    for i, (name, entry) in enumerate(NUISANCES.items()):
        if isinstance(entry, Event):
            values[name] = (first[:, i] < entry.chance * difficulty).to(torch.float32)
            continue
        draw = 0.5 * (first[:, i] + second[:, i]) if entry.central else first[:, i]
        offset = entry.low + (entry.high - entry.low) * draw - entry.rest
        value = entry.rest + difficulty * offset
        values[name] = value.clamp_min(0.5 * entry.low) if entry.low >= 0 else value
    return values


def _light_colour(warmth: torch.Tensor, tint: torch.Tensor) -> list[torch.Tensor]:
    return [1 + warmth, 1 + tint, 1 - warmth]


def derive(values: Params, size: int) -> Params:
    """Add the parameters that are derived from the drawn values."""
    params = dict(values)
    params["brow_y"] = params["eye_y"] + params["brow_lift"]
    params["mouth_y"] = params["nose_tip_y"] - params["mouth_drop"]
    # Bald heads keep a short rim of hair; the hairline in front is raised above the head.
    bald = params["baldness"] > 0
    params["bald"] = 2.0 * bald
    params["hair_end"] = params["hair_end"].masked_fill(bald, 0.0)
    params["glint_x"] = torch.sin(torch.deg2rad(params["light_azimuth"]))
    params["blur"] = params["blur"] * (size / 112)
    # Real dyes are seldom as saturated as three independent draws.
    for thing in ("cloth", "cap", "occluder"):
        names = [f"{thing}_{channel}" for channel in ("red", "green", "blue")]
        mean = torch.as_tensor(sum(params[name] for name in names) / 3)
        params |= {name: torch.lerp(mean, params[name], 0.55) for name in names}
    for light in ("key", "sky"):
        colours = _light_colour(params[f"{light}_warmth"], params[f"{light}_tint"])
        for channel, colour in zip(("red", "green", "blue"), colours, strict=True):
            params[f"{light}_{channel}"] = colour
    return params


def background(keys: torch.Tensor, difficulty: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the waves and tints of the backgrounds (see `rendering.scenery`): plain grey at difficulty 0."""
    number = len(keys)
    strength = min(difficulty, 1.0)
    waves = uniform(keys, [f"wave {i}" for i in range(4 * _WAVES)]).view(number, _WAVES, 4)
    waves = waves * torch.tensor([2.5, 1.0, 2.5, 1.0], device=keys.device)
    tints = uniform(keys, [f"tint {i}" for i in range(3 * (_WAVES + 1))]).view(number, _WAVES + 1, 3)
    amount = uniform(keys, ["vivid", "clutter"])[:, :, None]
    # Most backgrounds are nearly grey.
    tints = torch.lerp(tints.mean(2, keepdim=True).expand_as(tints), tints, 0.1 + 0.4 * amount[:, :1])
    mean = 0.25 + strength * (0.8 * tints[:, :1].square() - 0.25)
    return waves, torch.cat([mean, (tints[:, 1:] - 0.5) * (0.4 * strength * amount[:, 1:])], 1)
