"""Evaluate a network or saved embeddings on a test set: LFW, a `.bin` verification set, IJB-B or IJB-C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trsfnet.data.output import check_output
from trsfnet.data.sources import open_source
from trsfnet.errors import ConfigError, DataError
from trsfnet.inference.evaluate.images import all_pairs, ten_fold
from trsfnet.inference.evaluate.options import EvaluationOptions, choose_protocol
from trsfnet.inference.evaluate.report import EvaluationReport, Results
from trsfnet.inference.evaluate.scores import write_scores
from trsfnet.inference.evaluate.subject import FileSubject, NetworkSubject, subject_of
from trsfnet.inference.evaluate.templates import identification, verification
from trsfnet.paths import user_path

__all__ = ["EvaluationOptions", "EvaluationReport", "UnwrittenScores", "evaluate", "subject_of"]

_PROTOCOLS: dict[str, Callable[..., Results]] = {
    "ten-fold": ten_fold,
    "all-pairs": all_pairs,
    "1:1": verification,
    "1:N": identification,
}


def evaluate(
    subject: NetworkSubject | FileSubject,
    path: Path,
    options: EvaluationOptions = EvaluationOptions(),  # noqa: B008 - frozen
) -> EvaluationReport:
    """Evaluate face verification or identification with a network, or with embeddings computed elsewhere.

    Args:
        subject: see `subject_of`.
        path: LFW as published (folder or archive) or aligned (a folder of people), one of insightface's
            verification sets, or the folder of IJB-B or IJB-C.
        options: the protocol and its options.

    Raises:
        ConfigError: if an option does not apply to the data at `path`, or needs embeddings that are missing,
            or the file of scores does not end in `.parquet`.
        DataError: if images or protocol files are missing or damaged, an image has no embedding, or the
            scores cannot be written or would replace a file that is read, which is checked before computing.
        UnwrittenScores: if the scores could not be written after they were computed; it carries the report.
    """
    path = user_path(path)
    if options.scores:
        check_output(options.scores, [*subject.files, path, options.pairs, options.features])
        # Also keeps the scores from replacing an image of a folder or a run's checkpoint.
        if options.scores.suffix != ".parquet":
            raise ConfigError(f"The file of scores must end in .parquet, got {options.scores}.")
    source = open_source(path)
    protocol = choose_protocol(source, path, options)
    results = _PROTOCOLS[protocol](subject, source, path, options)
    report = EvaluationReport(subject, source.version, protocol, results)
    if options.scores and results.scores is not None:
        try:
            write_scores(results.scores, options.scores)
        except DataError as error:
            raise UnwrittenScores(str(error), report) from error
    return report


class UnwrittenScores(DataError):
    """The scores could not be written, for example because the disk is full; `report` has the rest."""

    def __init__(self, message: str, report: EvaluationReport) -> None:
        super().__init__(message)
        self.report = report
