"""The `synthetic` track's page: the appearance, variation and difficulty of rendered faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from matplotlib.ticker import PercentFormatter

from trsfnet.analysis import Analysis
from trsfnet.analysis.benchmarks import measured
from trsfnet.analysis.tables import TableRuns
from trsfnet.evaluation.embed import embed
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.report.names import measure_name
from trsfnet.synthetic import (
    DEFAULT_DIFFICULTY,
    NUISANCES,
    RENDERER_VERSION,
    TRAITS,
    Event,
    Nuisance,
    render_faces,
)
from trsfnet.text import NBSP, counted, joined, percent
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import build_model

# Range of TAR at FAR 1e-2 in which a problem distinguishes trained networks: neither hopeless nor solved.
_LEAST, _MOST = 0.5, 0.95

_SIZE = 80
_SHEET_PEOPLE, _SHEET_SIZE = 8, 96
_REST = {name: 0.0 if isinstance(entry, Event) else entry.rest for name, entry in NUISANCES.items()}

_BACKGROUND = "back-\nground"
# Columns of the contact sheet: changes from a frontal face in even light.
_COLUMNS: dict[str, dict[str, float]] = {
    "frontal": {},
    "yaw": {"yaw": 32},
    "pitch": {"pitch": 16},
    "roll": {"roll": 14},
    "light\nfrom left": {"light_azimuth": -70, "ambient": 0.25},
    "light\nfrom right": {"light_azimuth": 70, "ambient": 0.25},
    "expres-\nsion": {"smile": 0.9, "mouth_open": 0.6, "brow_raise": 0.8},
    "glasses": {"glasses": 1},
    "cap": {"cap": 1, "cap_blue": 0.5},
    "occluder": {"occluder": 1, "occluder_angle": 0.9, "occluder_edge": 0.4, "occluder_green": 0.4},
    "blur,\nnoise": {"blur": 1.3, "noise": 0.045},
    _BACKGROUND: {},
}

_FIGURE_PEOPLE = 60
# For each nuisance: its name in the figure, and the differences from its rest value that are drawn.
_STEPS: dict[str, tuple[str, list[int]]] = {
    "yaw": ("Yaw", [5, 10, 20, 40]),
    "light_azimuth": ("Light from the side", [10, 20, 40, 80]),
    "roll": ("Roll", [2, 4, 8, 16]),
}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread; on tensors this small, more threads are slower, by minutes on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def contact_sheet() -> Picture:
    """Draw rendered faces, with a row per identity and a column per nuisance."""
    people = torch.arange(_SHEET_PEOPLE)
    columns = []
    for name, changes in _COLUMNS.items():
        # The background is sampled rather than fixed, and plain grey at difficulty 0.
        difficulty = 1.0 if name == _BACKGROUND else 0.0
        faces = render_faces(people, people, size=_SHEET_SIZE, difficulty=difficulty, fixed=_REST | changes)
        columns.append(faces.images)
    sheet = torch.stack(columns, 1).permute(0, 2, 1, 3, 4).reshape(_SHEET_SIZE * len(people), -1, 3).numpy()
    height = style.FIGURE_WIDTH * sheet.shape[0] / sheet.shape[1] + 0.5
    with style.panels(1, 1, height, dpi=160) as (figure, ((axes,),)):
        axes.imshow(sheet)
        middles = _SHEET_SIZE * (np.arange(len(_COLUMNS)) + 0.5)
        axes.set_xticks(middles, list(_COLUMNS), fontsize=8)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.set_yticks(middles[: len(people)], [str(n) for n in people.tolist()], fontsize=8)
        axes.set_ylabel("Identity", fontsize=8)
        axes.grid(False)
        axes.spines[:].set_visible(False)
    words = [name.replace("-\n", "").replace("\n", " ") for name in _COLUMNS]
    return picture(
        figure,
        alt=(
            f"Rendered faces of {len(people)} identities by rows, each {joined(words[:1])} and then with one "
            f"thing changed by columns: {joined(words[1:])}."
        ),
        caption=(
            f"Rows: {len(people)} rendered identities. Columns: a frontal face in even light, then one "
            f"nuisance at a time near its extreme at difficulty{NBSP}1. Renderer {RENDERER_VERSION}."
        ),
    )


# Nuisances that need no knowledge of the renderer: their name in the table, and their unit.
_FACTORS: dict[str, tuple[str, str]] = {
    "yaw": ("yaw", "°"),
    "pitch": ("pitch", "°"),
    "roll": ("roll", "°"),
    "scale": ("size in the frame", ""),
    "light_azimuth": ("light from the side", "°"),
    "light_elevation": ("light from above", "°"),
    "smile": ("smile", ""),
    "mouth_open": ("mouth open", ""),
    "eye_open": ("eyes open", ""),
    "glasses": ("glasses", ""),
    "cap": ("cap", ""),
    "occluder": ("occlusion", ""),
    "exposure": ("exposure", ""),
    "saturation": ("saturation", ""),
    "blur": ("blur at 112 pixels", f"{NBSP}px"),
    "noise": ("noise, of full scale", ""),
}


def factors() -> Markdown:
    """Tabulate what varies between the images of one person, with its range."""
    levels = (0.0, DEFAULT_DIFFICULTY, 1.0)
    rows = [
        (label, *(_extent(NUISANCES[name], level, unit) for level in levels))
        for name, (label, unit) in _FACTORS.items()
    ]
    header = (
        "What varies",
        "Difficulty 0",
        f"Difficulty {DEFAULT_DIFFICULTY:g}, the track's",
        "Difficulty 1",
    )
    caption = (
        f"Some of the {len(NUISANCES)} parameters sampled for each image; {len(TRAITS)} others define a "
        "person."
    )
    return Markdown(captioned(caption, "factors", table(header, rows)))


def _extent(entry: Nuisance | Event, difficulty: float, unit: str) -> str:
    """Format the range of a nuisance or the probability of an event."""
    if isinstance(entry, Event):
        return f"in {100 * entry.chance * difficulty:.0f}{NBSP}% of images" if difficulty else "never"
    low, high = (entry.rest + difficulty * (end - entry.rest) for end in (entry.low, entry.high))
    if low == high:
        return f"{low:.3g}{unit}"
    return f"{low:.3g} to {high:.3g}{unit}".replace("-", "−")


@_one_thread()
def invariance() -> Picture:
    """Plot TAR by the strength of one nuisance, for raw pixels and an untrained network."""
    network = build_model(TrainConfig(image_size=_SIZE).resolved(None))
    measures: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "raw pixels": raw_pixels,
        "untrained v1": lambda images: embed(network, images, dtype=torch.float32),
    }
    frontal = {name: measure(_frontal_but({})) for name, measure in measures.items()}
    ends: dict[str, list[str]] = {name: [] for name in measures}
    with style.panels(1, len(_STEPS), 3.2, sharey=True) as (figure, (axes,)):
        for panel, (nuisance, (title, steps)) in zip(axes, _STEPS.items(), strict=True):
            images = [_frontal_but({nuisance: step}) for step in steps]
            for (name, measure), marker, dashes in zip(measures.items(), "os", ("-", "--"), strict=True):
                rates = [_recognised(frontal[name], measure(level)) for level in images]
                panel.plot([0, *steps], [1, *rates], dashes, marker=marker, label=name)
                ends[name].append(f"{percent(rates[-1])} at {title.lower()} {steps[-1]}")
            panel.set(xlabel=f"{title} (degrees)", ylim=(0, 1.04))
        axes[0].set_ylabel("TAR at FAR = 1e-2")
        axes[0].yaxis.set_major_formatter(PercentFormatter(1))
        axes[0].legend(loc="upper right")
    finding = " ".join(f"{name.capitalize()}: {joined(values)}." for name, values in ends.items())
    return picture(
        figure,
        alt=f"Share of same-person pairs accepted as yaw, side light or roll grows from zero. {finding}",
        caption=(
            f"A frontal face in even light is compared with one that differs in a single respect, over "
            f"{_FIGURE_PEOPLE} people; the threshold accepts 1{NBSP}% of different-person pairs of the same "
            f"difference. {finding}"
        ),
    )


def _frontal_but(changes: dict[str, float]) -> np.ndarray:
    """Render the figure's people, frontal and in even light except for `changes`."""
    people = torch.arange(_FIGURE_PEOPLE)
    return render_faces(people, people, size=_SIZE, difficulty=0.0, fixed=_REST | changes).images.numpy()


def raw_pixels(images: np.ndarray) -> np.ndarray:
    """Return centred pixels as embeddings: float32 [N, size * size * 3], with rows of unit length."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _recognised(one: np.ndarray, other: np.ndarray) -> float:
    """Return TAR at FAR 1e-2; rows with equal indices are same-person pairs, all others are not."""
    scores = one @ other.T
    same = np.eye(len(scores), dtype=bool)
    return float(np.mean(scores[same] > np.quantile(scores[~same], 0.99)))


def difficulty(found: Analysis) -> Markdown:
    """Tabulate how hard rendered faces are: for a detector, without training, and for trained networks."""
    result = measured("rendering")
    if result is None or result["renderer"] != RENDERER_VERSION:
        return Markdown("The renderer has not been measured; `python -m benchmarks.rendering` measures it.")
    detected, tar, speed = result["detection"], result["without_learning"], result["speed"]
    rows = [
        (f"{name}", percent(value), f"must stay below {percent(tar['limit'])}")
        for name, value in tar["tar@1e-2"].items()
    ]
    table_1 = found.table(1, "synthetic")
    trained = [run.metrics["tar@1e-2"] for run in table_1.runs if run.done]
    outside = ""
    if trained and table_1.images == f"renderer-{RENDERER_VERSION}":
        span = f"{percent(min(trained))} to {percent(max(trained))}"
        within = sum(_LEAST <= value <= _MOST for value in trained)
        limit = f"should lie in {percent(_LEAST)} to {percent(_MOST)}: {within} of {len(trained)} do"
        rows.append((f"trained v1, {counted(len(trained), 'run')}", span, limit))
        outside = _outside(trained, table_1)
    body = table(("Measure", "TAR@FAR=1e-2", "Limit"), rows)
    sentence = (
        f"facenet-pytorch's MTCNN, at its default thresholds, finds {detected['found']:,} of "
        f"{detected['of']:,} faces rendered at {detected['size']} pixels and difficulty "
        f"{detected['difficulty']:g}. "
        f"One core renders {speed['fastest']:.0f} faces per second at {speed['size']} pixels."
    )
    caption = (
        f"Unseen rendered identities by LFW's protocol, at the default difficulty of {tar['difficulty']:g}."
    )
    return Markdown("\n\n".join(filter(None, [sentence, captioned(caption, "difficulty", body), outside])))


def _outside(trained: Sequence[float], of: TableRuns) -> str:
    """Return what it means if trained networks are outside the limits; empty if most are within."""
    too_easy, too_hard = sum(value > _MOST for value in trained), sum(value < _LEAST for value in trained)
    if max(too_easy, too_hard) * 2 <= len(trained):
        return ""
    what = "easy" if too_easy > too_hard else "hard"
    return (
        f"The task is too {what} for these runs (budget `{of.budget}`), so differences between them are "
        f"small at this FAR. Their verdicts use a stricter measure: {measure_name(of.measures[0])}."
    )
