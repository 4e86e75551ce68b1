"""Evaluation options, and the protocols that each kind of source allows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from trsfnet.data.folder import FolderSource
from trsfnet.data.ijb import IjbImages
from trsfnet.data.lfw import LfwSource
from trsfnet.data.source import Source
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.errors import ConfigError, choice

# Protocols allowed for each kind of source; the first is the default.
_PROTOCOLS: dict[type[Source], tuple[str, ...]] = {
    LfwSource: ("ten-fold", "all-pairs"),
    FolderSource: ("ten-fold", "all-pairs"),
    VerificationBin: ("ten-fold",),
    IjbImages: ("1:1", "1:N"),
}
_POOLING = ("features", "flip", "norm_score", "detector_score")
# Options that concern the scores of pairs; 1:N has no pairs.
_OF_PAIRS = ("scores", "worst")
_TAKES = {
    "ten-fold": ("convention", "pairs", *_OF_PAIRS),
    "all-pairs": ("convention", *_OF_PAIRS),
    "1:1": (*_POOLING, *_OF_PAIRS),
    "1:N": _POOLING,
}


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate; an option that is None takes the source's default.

    Attributes:
        protocol: `ten-fold`, `all-pairs`, `1:1` or `1:N`.
        convention: a name in `CONVENTIONS`: how image pairs are compared. For all pairs, only its use of
            mirror images matters.
        pairs: path of LFW's `pairs.txt`.
        features: a `.npy` file to read IJB's features from or to keep them in.
        flip: add the features of mirror images (IJB).
        norm_score: let longer features weigh more (IJB).
        detector_score: weight images by their detector scores (IJB).
        scores: a parquet file to write the scores of the pairs to, for `read_scores`.
        worst: number of worst pairs of each kind (same person, different people) to list.
    """

    protocol: str | None = None
    convention: str | None = None
    pairs: Path | None = None
    features: Path | None = None
    flip: bool | None = None
    norm_score: bool | None = None
    detector_score: bool | None = None
    scores: Path | None = None
    worst: int = 0


def choose_protocol(source: Source, path: Path, options: EvaluationOptions) -> str:
    """Return the requested protocol, or the source's default.

    Raises:
        ConfigError: if the source at `path` does not allow the protocol, or the protocol does not take an
            option that was given.
    """
    allowed = _PROTOCOLS.get(type(source))
    if allowed is None:
        raise ConfigError(
            f"{path} is not a test set: expected LFW (as published or aligned), a .bin verification set, "
            "IJB-B or IJB-C."
        )
    if options.worst < 0:
        raise ConfigError(f"worst must be a number of pairs, 0 or more, got {options.worst}.")
    protocol = options.protocol or allowed[0]
    choice(f"protocol for {path}", protocol, allowed)
    for field in fields(options):
        given = field.name != "protocol" and getattr(options, field.name) not in (None, field.default)
        if given and field.name not in _TAKES[protocol]:
            raise ConfigError(f"The protocol {protocol} takes no {field.name}.")
    if options.pairs is not None and isinstance(source, VerificationBin):
        raise ConfigError(f"{path} comes with its own pairs.")
    return protocol
