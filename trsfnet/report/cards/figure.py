"""The figure of a card: small panels on the course of a run and its final state."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trsfnet.analysis.run import Run
from trsfnet.report import style
from trsfnet.report.cards.drawing import (
    BLUE,
    ORANGE,
    Drawing,
    concatenated,
    epochs,
    mark,
    panel,
    quantity,
    rule,
)
from trsfnet.report.cards.evaluated import Evaluated
from trsfnet.report.explore.charts import Spec
from trsfnet.report.names import measure_name
from trsfnet.text import counted, percent

_COLUMNS = 3
_SIZE = {"width": 165, "height": 130}  # pixels


def figure(run: Run, scores: Evaluated | None) -> Drawing | None:
    """Draw a panel for everything that a run's record contains; None if no epoch has finished.

    Args:
        run: the run.
        scores: its final evaluation, or None.
    """
    history = run.history
    if history.empty:
        return None
    values = run.learned
    panels = [_loss(history), _shares(history, run), *_parameter_panels(values)]
    if scores:
        panels.insert(2, _score_panel(scores))
    caption = _caption(history, values, scores)
    return Drawing(concatenated(panels, columns=_COLUMNS), _alt(history, run, values), caption)


def _parameter_panels(values: dict[str, pd.DataFrame]) -> list[Spec]:
    panels: list[Spec] = []
    if "trsf" in values:
        panels += [_lines(values["trsf"], "TRSF of each module", "TRSF"), _final_scales(values["trsf"])]
    if "ratio" in values:
        panels.append(_lines(values["ratio"], "Residual ratio of each module", "‖branch‖ / ‖trunk‖"))
    if "slope" in values:
        panels += [_bands(values["slope"]), _final_slopes(values["slope"])]
    return panels


def _loss(history: pd.DataFrame) -> Spec:
    data = pd.DataFrame({"epoch": history["epoch"], "value": history["loss"]})
    channels = {"x": epochs(), "y": quantity("value", "Loss (nats)", zero=True)}
    line = mark("line", data, channels, color=BLUE, point=_points(history), tooltip=True)
    return panel("Training loss", [line], **_SIZE)


def _shares(history: pd.DataFrame, run: Run) -> Spec:
    """Draw the training accuracy, and the track's measures on unseen people."""
    names = {"train_accuracy": "training images"} | {name: measure_name(name) for name in run.measures}
    courses = [
        pd.DataFrame({"epoch": history["epoch"], "value": history[column], "of": label})
        for column, label in names.items()
        if column in history
    ]
    data = pd.concat(courses) if courses else pd.DataFrame(columns=["epoch", "value", "of"])
    percents = {"format": "%", "values": [0, 0.5, 1]}
    kinds = {"field": "of", "type": "nominal", "sort": None}
    channels = {
        "x": epochs(),
        "y": quantity("value", "", axis=percents, domain=[0, 1]),
        "color": {**kinds, "scale": {"range": [BLUE, ORANGE, style.look("v1-prelu").colour]}},
        "strokeDash": {**kinds, "scale": {"range": [[5, 3], [1, 0], [2, 2]]}},
    }
    return panel(
        "Accuracy and TAR", [mark("line", data, channels, point=_points(history), tooltip=True)], **_SIZE
    )


def _score_panel(scores: Evaluated) -> Spec:
    bins = np.linspace(min(scores.impostor.min(), scores.genuine.min()), 1, 60)
    parts = {
        "different people": (scores.impostor, scores.impostor_pairs, ORANGE),
        "same person": (scores.genuine, len(scores.genuine), BLUE),
    }
    shares = {label: np.histogram(cosines, bins)[0] / pairs for label, (cosines, pairs, _) in parts.items()}
    # A logarithmic axis if only the highest of many scores are drawn: their bars would be flat otherwise.
    logarithmic = scores.impostor_pairs > len(scores.impostor)
    lowest = min(share[share > 0].min() for share in shares.values()) / 2 if logarithmic else 0.0
    scale = {"type": "log", "domainMin": lowest} if logarithmic else {"zero": True}
    layers = []
    for label, share in shares.items():
        drawn = share > 0
        data = pd.DataFrame(
            {
                "from": bins[:-1][drawn],
                "to": bins[1:][drawn],
                "share": share[drawn],
                "low": lowest,
                "of": label,
            }
        )
        channels = {
            "x": quantity("from", "Cosine of a pair"),
            "x2": {"field": "to"},
            "y": quantity("share", "", axis={"format": "~%", "tickCount": 3}, **scale),
            "y2": {"field": "low"},
            "color": {
                "field": "of",
                "type": "nominal",
                "scale": {"domain": list(parts), "range": [colour for *_, colour in parts.values()]},
            },
        }
        layers.append(mark("rect", data, channels, opacity=0.55, tooltip=True))
    if scores.threshold is not None:
        layers.append(
            rule("x", scores.threshold, strokeDash=[4, 3], tooltip=f"threshold {scores.threshold:.2f}")
        )
    return panel("Scores, share of pairs", layers, **_SIZE)


def _lines(table: pd.DataFrame, title: str, label: str) -> Spec:
    """Draw one line per module, from dark for the first to light for the last."""
    modules = range(1, table.shape[1] + 1)
    data = pd.DataFrame(
        {
            "epoch": np.repeat(table.index, table.shape[1]),
            "value": table.to_numpy().ravel(),
            "module": np.tile(modules, len(table)),
        }
    )
    low, high = style.DEPTH_RANGE
    depth = {"scheme": {"name": style.DEPTH_MAP, "extent": [low, high]}, "domain": [1, table.shape[1]]}
    channels = {
        "x": epochs(),
        "y": quantity("value", label),
        "color": {"field": "module", "type": "quantitative", "scale": depth, "legend": None},
        "detail": {"field": "module"},
    }
    line = mark("line", data, channels, strokeWidth=1.3, tooltip=True)
    return panel(title, [rule("y", 0), line], **_SIZE)


def _bands(table: pd.DataFrame) -> Spec:
    """Draw quantiles of the slopes over the epochs, because there would be hundreds of lines."""
    layers = []
    for low, high, opacity in ((0, 1, 0.15), (0.1, 0.9, 0.3)):
        bounds = table.quantile([low, high], axis=1)
        data = pd.DataFrame({"epoch": table.index, "low": bounds.iloc[0], "high": bounds.iloc[1]})
        channels = {"x": epochs(), "y": quantity("low", "Slope α"), "y2": {"field": "high"}}
        layers.append(mark("area", data, channels, color=BLUE, opacity=opacity))
    data = pd.DataFrame({"epoch": table.index, "median": table.median(axis=1)})
    channels = {"x": epochs(), "y": quantity("median", "Slope α")}
    layers += [mark("line", data, channels, color=BLUE, tooltip=True), rule("y", 0)]
    return panel("Slopes: range, 80 %, median", layers, **_SIZE)


def _final_scales(table: pd.DataFrame) -> Spec:
    last = table.iloc[-1].to_numpy()
    data = pd.DataFrame({"module": range(1, len(last) + 1), "value": last})
    whole = {"tickMinStep": 1, "format": "d"}
    channels = {
        "x": quantity("module", "Module, from input to output", axis=whole, nice=False, padding=4),
        "y": quantity("value", "TRSF"),
    }
    points = mark("point", data, channels, color=BLUE, filled=True, size=16, opacity=1, tooltip=True)
    return panel("TRSF at the end", [rule("y", 0), points], **_SIZE)


def _final_slopes(table: pd.DataFrame) -> Spec:
    last = table.iloc[-1].to_numpy()
    bins = np.histogram_bin_edges(np.append(last, 0), 30)
    layers = []
    for part, colour in ((last >= 0, BLUE), (last < 0, ORANGE)):
        counts = np.histogram(last[part], bins)[0]
        data = pd.DataFrame({"from": bins[:-1], "to": bins[1:], "activations": counts, "low": 0})
        channels = {
            "x": quantity("from", "Slope α at the end"),
            "x2": {"field": "to"},
            "y": quantity("activations", "Activations", axis={"tickMinStep": 1}, zero=True),
            "y2": {"field": "low"},
        }
        layers.append(mark("rect", data, channels, color=colour, tooltip=True))
    return panel("Slopes at the end", [*layers, rule("x", 0)], **_SIZE)


def _points(history: pd.DataFrame) -> bool | dict[str, int]:
    return {"size": 16} if len(history) < 10 else False


def _alt(history: pd.DataFrame, run: Run, values: dict[str, pd.DataFrame]) -> str:
    kinds = {"trsf": "residual scales", "ratio": "residual ratios", "slope": "slopes"}
    shown = [words for kind, words in kinds.items() if kind in values]
    parts = ", ".join(["loss", "accuracy", "verification", *shown])
    return f"{run.run_id}: {parts} over {counted(len(history), 'epoch')}, in small panels."


def _caption(history: pd.DataFrame, values: dict[str, pd.DataFrame], scores: Evaluated | None) -> str:
    """Summarise the panels in numbers."""
    first, last = history["loss"].iloc[0], history["loss"].iloc[-1]
    sentences = [f"The loss went from {first:.2f} in the first epoch to {last:.2f} in the last."]
    if "trsf" in values:
        ends = values["trsf"].iloc[[0, -1]].mean(axis=1)
        sentences.append(f"The scales went from {ends.iloc[0]:.2f} to {ends.iloc[1]:.2f} on average.")
    if "slope" in values:
        final = values["slope"].iloc[-1]
        sentences.append(f"{int((final < 0).sum())} of {len(final)} slopes ended below zero.")
    if scores:
        if scores.threshold is not None:
            accepted = float(np.mean(scores.genuine > scores.threshold))
            sentences.append(
                f"At one threshold for all pairs, a cosine of {scores.threshold:.2f}, {percent(accepted)} of "
                "same-person pairs and 1 in 1,000 of the others are accepted."
            )
        if scores.impostor_pairs > len(scores.impostor):
            sentences.append(
                f"Of {scores.impostor_pairs:,} different-person pairs, the {len(scores.impostor):,} most "
                "similar are drawn."
            )
    return " ".join(sentences)
