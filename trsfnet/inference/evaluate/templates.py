"""Verification and identification of templates in IJB-B and IJB-C."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from trsfnet.data.ijb import IjbImages
from trsfnet.data.ijb_meta import TemplatePairs, read_pairs, read_searches
from trsfnet.errors import DataError
from trsfnet.evaluation import (
    TemplateScores,
    closed_set,
    open_set,
    people_of_pairs,
    pool,
    score_templates,
)
from trsfnet.evaluation.estimates import Estimate, of_closed_set, of_open_set, of_pairs
from trsfnet.inference.evaluate.mistakes import worst_pairs
from trsfnet.inference.evaluate.options import EvaluationOptions
from trsfnet.inference.evaluate.report import Results
from trsfnet.inference.evaluate.subject import Subject

# Number of embeddings whose lengths are looked at.
_SEEN = 1000
_UNIT_LENGTH = (
    "All embeddings have length 1, so norm_score changes nothing: it needs them as the network gives them."
)


def verification(subject: Subject, source: IjbImages, _: Path, options: EvaluationOptions) -> Results:
    """Evaluate 1:1 verification on pairs of templates.

    Raises:
        DataError: if a protocol file or an image is missing or damaged.
    """
    pairs = read_pairs(source.root, source.dataset, source.templates)
    people, notes = _people(source, pairs)
    pooled, chosen, more = _pooled(subject, source, options)
    scores = TemplateScores(score_templates(pooled, pairs), pairs.same, people)
    details = [result.to_dict() for result in scores.results]
    ids = source.templates.ids
    worst = worst_pairs(
        scores.scores,
        scores.same,
        lambda pair: (f"template {ids[pairs.left[pair]]}", f"template {ids[pairs.right[pair]]}"),
        options.worst,
    )
    return Results(of_pairs(scores), details, chosen, [*notes, *more], scores, worst)


def identification(subject: Subject, source: IjbImages, _: Path, options: EvaluationOptions) -> Results:
    """Evaluate 1:N identification by both published protocols, open set and closed set.

    Raises:
        DataError: if a protocol file or an image is missing or damaged.
    """
    searches = read_searches(source.root, source.dataset, source.templates)
    pooled, chosen, notes = _pooled(subject, source, options)
    opened, closed = open_set(pooled, searches), closed_set(pooled, searches)
    estimates = [*_named("open set", of_open_set(opened)), *_named("closed set", of_closed_set(closed))]
    details = [{"open set": opened.to_dict()}, {"closed set": closed.to_dict()}]
    return Results(estimates, details, chosen, notes)


def _pooled(
    subject: Subject, source: IjbImages, options: EvaluationOptions
) -> tuple[np.ndarray, dict[str, bool], list[str]]:
    """Return the features of the templates, the pooling options used, and notes on them."""
    names = ("flip", "norm_score", "detector_score")
    chosen = {name: getattr(options, name) is not False for name in names}
    found = subject.all_features(source, options.features, mirror=chosen["flip"])
    pooled = pool(
        found[0],
        source.templates,
        mirrored=found[1] if chosen["flip"] else None,
        use_norm_score=chosen["norm_score"],
        use_detector_score=chosen["detector_score"],
    )
    lengths = np.linalg.norm(found[0][:_SEEN], axis=1)
    unit = chosen["norm_score"] and not chosen["flip"] and np.allclose(lengths, 1, atol=1e-3)
    return pooled, chosen, [_UNIT_LENGTH] if unit else []


def _people(source: IjbImages, pairs: TemplatePairs) -> tuple[np.ndarray | None, list[str]]:
    """Return the people in the pairs as far as the 1:N files identify them, and a note if they do not."""
    try:
        searches = read_searches(source.root, source.dataset, source.templates)
    except DataError as error:
        return None, [f"The people in the pairs are unknown: {error}"]
    people = people_of_pairs(pairs, searches, len(source.templates.ids))
    return people, [] if people is not None else ["The 1:N files do not identify everyone in the pairs."]


def _named(set_: str, estimates: list[Estimate]) -> list[Estimate]:
    return [replace(estimate, name=f"{set_} {estimate.name}") for estimate in estimates]
