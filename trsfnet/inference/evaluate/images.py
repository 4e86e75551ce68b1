"""Verification of image pairs: ten folds, or all pairs of LFW's sets 8 to 10."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from trsfnet.data.faces import Pairs
from trsfnet.data.folder import FolderSource
from trsfnet.data.lfw import LfwSource
from trsfnet.data.lfw_files import Person, read_people
from trsfnet.data.source import Source
from trsfnet.data.tracks.lfw import TEST_SETS
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.data.view2 import find_pairs, view2_pairs
from trsfnet.errors import ConfigError, DataError, choice
from trsfnet.evaluation import score_all_pairs
from trsfnet.evaluation.conventions import CONVENTIONS, FACENET_TRAINING, Convention
from trsfnet.evaluation.estimates import of_pairs
from trsfnet.evaluation.lfw_protocol import TEN_FOLD_FARS, check_folds
from trsfnet.evaluation.protocol import SPARE
from trsfnet.evaluation.verification import ALL_PAIRS_FARS
from trsfnet.inference.evaluate.mistakes import image_names, worst_of_all_pairs, worst_pairs
from trsfnet.inference.evaluate.options import EvaluationOptions
from trsfnet.inference.evaluate.report import Results
from trsfnet.inference.evaluate.subject import Subject

_SEEN = (
    "The network was trained on people of LFW's sets 1 to 7, who are in seven of the ten folds; the protocol "
    "all-pairs uses other people."
)
_SEEN_IN_BIN = "The network was trained on people of LFW's sets 1 to 7, whom these pairs show, too."
# insightface's verification sets of LFW's people.
_OF_LFW = ("lfw", "calfw", "cplfw")


def ten_fold(
    subject: Subject,
    source: LfwSource | FolderSource | VerificationBin,
    path: Path,
    options: EvaluationOptions,
) -> Results:
    """Evaluate pairs in folds, with thresholds chosen on the other folds.

    Raises:
        ConfigError: if the convention is unknown, or the pairs form a single fold.
        DataError: if pairs or images are missing or damaged.
    """
    convention = _convention(options)
    chosen = {"convention": convention.name}
    if isinstance(source, VerificationBin):
        pairs, file = source.pairs, path
    else:
        file = options.pairs or find_pairs(path)
        pairs = view2_pairs(source, file)
        chosen["pairs"] = str(file)
        if pairs.folds.max() == 0:
            raise ConfigError(f"Ten-fold verification needs two folds or more, but {file} has one.")
    try:
        check_folds(pairs.same, pairs.folds)
    except ConfigError as error:
        raise DataError(f"{file} cannot be evaluated in folds: {error}") from error
    used, places = np.unique(np.stack([pairs.left, pairs.right]), return_inverse=True)
    left, right = places.reshape(2, -1)
    outputs = subject.features(source, used, mirror=convention.flip != "none")
    scores = convention.score(Pairs(left, right, pairs.same, pairs.folds), source.labels[used], *outputs)
    if isinstance(source, VerificationBin):
        scores = replace(scores, people=None)  # such a file does not identify the people in its images
    results = [scores.result(far) for far in TEN_FOLD_FARS]
    accuracy, tar = results[-1].accuracy_std, results[-1].tar_std
    notes = [f"Standard deviation over the folds: accuracy {accuracy:.4f}, tar@1e-3 {tar:.4f}."]
    if subject.track == "lfw":
        notes += _seen(source, path)
    names = image_names(source, pairs.left, pairs.right)
    worst = worst_pairs(-scores.held_out, scores.same, names, options.worst)
    return Results(of_pairs(scores), [r.to_dict() for r in results], chosen, notes, scores, worst)


def all_pairs(
    subject: Subject, source: LfwSource | FolderSource, path: Path, options: EvaluationOptions
) -> Results:
    """Evaluate all pairs of images of the people in LFW's sets 8 to 10, as on the `lfw` track.

    Raises:
        ConfigError: if the convention is unknown.
        DataError: if none of these people is present, or an image is damaged.
    """
    convention = _convention(options)
    people = read_people()
    tested = [person for number in TEST_SETS for person in people[number]]
    present = np.isin(np.array(source.identities)[source.labels], [person.name for person in tested])
    rows = np.flatnonzero(present)
    if not len(rows):
        raise DataError(f"{path} has no image of the people in LFW's sets 8 to 10.")
    outputs = subject.features(source, rows, mirror=convention.flip != "none")
    embeddings, labels = convention.combine(*outputs), source.labels[rows]
    scores = score_all_pairs(embeddings, labels, highest_far=SPARE * max(ALL_PAIRS_FARS))
    details = [scores.result(far).to_dict() for far in ALL_PAIRS_FARS]
    chosen = {"convention": convention.name}
    worst = []
    if options.worst:
        worst = worst_of_all_pairs(embeddings, labels, lambda i: source.name(int(rows[i])), options.worst)
    return Results(of_pairs(scores), details, chosen, _missing(source, rows, tested), scores, worst)


def _missing(source: Source, rows: np.ndarray, tested: list[Person]) -> list[str]:
    """Return a note if images of the people to test are missing, as after `trsfnet align --missing skip`."""
    expected = {person.name: person.images for person in tested}
    found = Counter(source.identities[label] for label in source.labels[rows])
    lacking = {name: images - found[name] for name, images in expected.items() if found[name] < images}
    if not lacking:
        return []
    name, number = next(iter(lacking.items()))
    return [
        f"{sum(lacking.values()):,} of the {sum(expected.values()):,} images of LFW's sets 8 to 10 are "
        f"missing, such as {number} of {name}'s {expected[name]}: the results are those of the others."
    ]


def _convention(options: EvaluationOptions) -> Convention:
    name = options.convention or FACENET_TRAINING.name
    choice("convention", name, tuple(CONVENTIONS))
    return CONVENTIONS[name]


def _seen(source: LfwSource | FolderSource | VerificationBin, path: Path) -> list[str]:
    """Return a note if the pairs show people on whom networks of the `lfw` track are trained."""
    if not isinstance(source, VerificationBin):
        return [_SEEN]
    return [_SEEN_IN_BIN] if path.stem in _OF_LFW else []
