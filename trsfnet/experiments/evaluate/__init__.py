"""A run's network on a test set that lies on disk: LFW, a `.bin` verification set, IJB-B or IJB-C."""

from __future__ import annotations

from pathlib import Path

from trsfnet.data.sources import open_source
from trsfnet.errors import DataError
from trsfnet.experiments.evaluate.images import all_pairs, ten_fold
from trsfnet.experiments.evaluate.network import load_network
from trsfnet.experiments.evaluate.options import EvaluationOptions, choose_protocol
from trsfnet.experiments.evaluate.report import EvaluationReport, check_target
from trsfnet.experiments.evaluate.templates import identification, verification
from trsfnet.paths import user_path

__all__ = ["EvaluationOptions", "EvaluationReport", "UnwrittenScores", "evaluate_run"]

_PROTOCOLS = {
    "ten-fold": ten_fold,
    "all-pairs": all_pairs,
    "1:1": verification,
    "1:N": identification,
}


def evaluate_run(run: Path, path: Path, options: EvaluationOptions = EvaluationOptions()) -> EvaluationReport:  # noqa: B008 - frozen
    """Evaluate the network of a run.

    Args:
        run: folder of the run, `<runs>/<track>/<run id>`, with its checkpoint.
        path: LFW as published (folder or archive) or aligned into a folder of people; one of insightface's
            verification sets; or the folder of IJB-B or IJB-C.
        options: what to compute, and how.

    Raises:
        ConfigError: an option does not go with what lies at `path`.
        DataError: the images or protocol files are missing or damaged; or a file cannot be written, which is
            tried before anything is computed.
        UnwrittenScores: the scores could not be written once they were there; it has the report.
        RecordError: there is no run, or no network of it.
    """
    run, path = user_path(run), user_path(path)
    if options.scores:
        check_target(options.scores)
    network = load_network(run)
    source = open_source(path)
    protocol = choose_protocol(source, path, options)
    results = _PROTOCOLS[protocol](network, source, path, options)
    report = EvaluationReport(network, source.version, protocol, results)
    if options.scores:
        try:
            report.write_scores(options.scores)
        except DataError as error:
            raise UnwrittenScores(str(error), report) from error
    return report


class UnwrittenScores(DataError):
    """The scores cannot be written, say on a full disk; everything else is in `report`."""

    def __init__(self, message: str, report: EvaluationReport) -> None:
        super().__init__(message)
        self.report = report
