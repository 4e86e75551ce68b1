"""Quantise a network to 8-bit integers, calibrated on its track's faces, and measure the effect on TAR.

onnxruntime quantises the folded graph statically: weights per output channel, activations by their range on
training faces. The quantised network is then evaluated by the protocol of its track, and rejected if its TAR
lies outside the confidence interval of the float32 network's TAR.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trsfnet.data.faces import TrackData
from trsfnet.data.lazy import LazyImages
from trsfnet.data.tracks import data_root, load_track
from trsfnet.errors import ConfigError
from trsfnet.evaluation import TemplateScores, intervals, read_scores, score_all_pairs
from trsfnet.evaluation.protocol import SPARE, Evaluation, evaluate
from trsfnet.evaluation.verification import ALL_PAIRS_FARS
from trsfnet.experiments.threshold import RunScores, thresholds_of
from trsfnet.interop.embedding_network import folded
from trsfnet.interop.onnx_graph import INPUT, build_graph
from trsfnet.interop.weights import Weights
from trsfnet.training.config import LATER_SETTINGS, TrainConfig

METRIC = "tar@1e-3"
# Number of training faces used for calibration, evenly spread over the people.
CALIBRATION = 256
_BATCH = 32


@dataclass(frozen=True)
class Loss:
    """Effect of 8-bit integers on a metric.

    Attributes:
        metric: name of the metric.
        float32: its value in float32 on the track's test faces.
        low: lower bound of its 95 % interval, from resampling people.
        high: upper bound.
        int8: its value in 8-bit integers.
        faces: number of training faces used for calibration.
    """

    metric: str
    float32: float
    low: float
    high: float
    int8: float
    faces: int

    @property
    def kept(self) -> bool:
        """True if the int8 value lies within the interval."""
        return self.low <= self.int8 <= self.high

    def __str__(self) -> str:
        """Return the comparison as a sentence."""
        place = "within" if self.kept else "outside"
        return (
            f"On the track's test faces {self.metric} is {self.int8:.4f} in int8 and {self.float32:.4f} in "
            f"float32, {place} the interval of the latter, {self.low:.4f} to {self.high:.4f}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def quantised(weights: Weights) -> tuple[Any, Weights]:
    """Quantise a network to an 8-bit graph from uint8 images to unit-length embeddings.

    Returns:
        An `onnx.ModelProto`, and the weights. The description of the weights contains the metrics and
        thresholds of this graph, and its `Loss` under `training`.

    Raises:
        ConfigError: if the network does not come from a run, so that its faces are unknown; its TAR lies
            outside the interval; or a package is missing.
        DataError: if the images of its track are missing, or the weights are not those of a complete network.
    """
    description = weights.description
    data = _faces_of(weights)
    graph = build_graph(folded(weights), description.preprocessing, unit=True)
    rows = np.linspace(0, len(data.train) - 1, min(CALIBRATION, len(data.train))).round().astype(np.int64)
    in_int8 = calibrated(graph, np.asarray(data.train.images[rows]))
    before, after = (_outputs(each, data.test.images) for each in (graph, in_int8))
    metric = f"all_pairs_{METRIC}" if data.all_pairs else METRIC
    interval = intervals(_many_pairs(data, before))[METRIC]
    if interval is None:
        raise ConfigError(f"{description.name} has too few test faces for an interval of {metric}.")
    found = evaluate(data.test, data.pairs, after, all_pairs=data.all_pairs)
    loss = Loss(metric, interval.value, interval.low, interval.high, found.metrics[metric], len(rows))
    if not loss.kept:
        raise ConfigError(f"{description.name} loses too much in 8-bit integers. {loss}")
    described = replace(
        description,
        name=f"{description.name}-int8",
        metrics=found.metrics,
        thresholds=thresholds_of(_scores(found), description.name),
        training=dict(description.training) | {"int8": loss.to_dict()},
    )
    return in_int8, replace(weights, description=described)


def _faces_of(weights: Weights) -> TrackData:
    """Load the faces of the track on which a network was trained."""
    settings = weights.description.training.get("config")
    if settings is None:
        raise ConfigError(
            f"int8 is calibrated on the faces of a run's track, but {weights.description.name} is not from a "
            "run: give the folder of a run, or a file exported from one."
        )
    config = TrainConfig.from_parameters(LATER_SETTINGS | dict(settings))
    return load_track(config.track, root=data_root(), **config.face_settings)


def calibrated(graph: Any, images: np.ndarray) -> Any:
    """Quantise a graph to 8-bit integers.

    Args:
        graph: a float32 graph made by `build_graph`.
        images: uint8 [N, size, size, 3], images on which the ranges of the activations are measured.

    Returns:
        An `onnx.ModelProto`.

    Raises:
        ConfigError: if the onnxruntime package is missing.
    """
    import onnx  # optional: in the extra `export`

    try:
        # Optional: in the extra `export`.
        from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    except ImportError as error:
        raise ConfigError("int8 needs another package: pip install 'trsfnet[export]'.") from error

    class Reader(CalibrationDataReader):
        """Provides the images in batches, then None."""

        def __init__(self) -> None:
            self._parts = iter(_parts(images))

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self._parts, None)
            return None if part is None else {INPUT: part}

    with tempfile.TemporaryDirectory() as folder, _without_advice():
        given, file = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        given.write_bytes(graph.SerializeToString())  # an in-memory graph would be modified
        quantize_static(
            given,
            file,
            Reader(),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # 7-bit weights: the sum of two 8-bit products overflows AVX2's 16 bits
        )
        return onnx.load(file)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Suppress onnxruntime's advice to optimise graphs first; these graphs are already folded."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _many_pairs(data: TrackData, embeddings: np.ndarray) -> RunScores:
    """Score as many pairs as the track has: more pairs give a narrower interval."""
    if data.all_pairs:
        return score_all_pairs(embeddings, data.test.labels, highest_far=SPARE * max(ALL_PAIRS_FARS))
    return _scores(evaluate(data.test, data.pairs, embeddings))


def _scores(found: Evaluation) -> RunScores:
    pairs = found.details[0].get("impostor_pairs")
    scores = read_scores(found.scores, impostor_pairs=None if pairs is None else int(pairs))
    assert not isinstance(scores, TemplateScores)  # no track has templates
    return scores


def _outputs(graph: Any, images: np.ndarray | LazyImages) -> np.ndarray:
    """Compute the embeddings with a graph: float32 [N, D]."""
    from onnxruntime import InferenceSession, SessionOptions  # optional: in the extra `export`

    options = SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {INPUT: part})[0] for part in _parts(images)])


def _parts(images: np.ndarray | LazyImages) -> Iterator[np.ndarray]:
    """Yield images [N, size, size, 3] in batches, in order."""
    for start in range(0, images.shape[0], _BATCH):
        yield np.ascontiguousarray(images[np.arange(start, min(start + _BATCH, images.shape[0]))])
