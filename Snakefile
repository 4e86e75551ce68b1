# The runs behind the book. `snakemake -n` lists those that are missing, with the reason; `snakemake --cores 2`
# trains them.
#
#   snakemake --cores 2 --config budget=quick                      the paper's 18 runs on rendered faces
#   snakemake --cores 2 --config budget=short track=lfw seeds=0,1  the same on LFW, with two seeds
#   snakemake --cores 2 --config study=stability                  the study on collapse
#   snakemake --cores 2 --config exhibit="table 1"                only the variants of one table or figure
#
# The folder profiles/ contains settings of Snakemake itself: profiles/default is always used, the others are for
# clusters.
#
# A flag in a run's folder shows that its notebook was executed to the end, and with which code. The record is not
# declared as an output, because Snakemake deletes the outputs of a failed job, and an interrupted run resumes from
# its record and checkpoint.

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from trsfnet.data.tracks import data_root
from trsfnet.errors import TrsfnetError
from trsfnet.experiments.commands import papermill_parameters
from trsfnet.experiments.pipeline import code_version, why_due
from trsfnet.experiments.studies import planned_runs
from trsfnet.report.cost import in_a_sentence
from trsfnet.report.progress import Progress

NOTEBOOK = Path(workflow.basedir, "notebooks", "train.ipynb")

try:
    root = data_root()
    RUNS = planned_runs(config, root)
except TrsfnetError as error:
    cost = f" {in_a_sentence()}" if config.get("budget") == "paper" else ""
    sys.exit(f"snakemake: {error}{cost}")


# Where nodes share no file system, records go to the volume that serves as storage.
RECORDS = Path(workflow.storage_settings.default_storage_prefix or "", "runs")


def record(track, run):
    return RECORDS / track / run


def parameters(wildcards):
    run = RUNS.get((wildcards.track, wildcards.run))
    if run is None:
        raise WorkflowError(
            f"This machine cannot plan {wildcards.run}: its precision, images or code differ from those of the "
            "machine that did. Name the precision, such as precision=bfloat16."
        )
    return [*papermill_parameters(run), "-p", "again", "True", "-p", "runs", str(RECORDS)]


def why(wildcards):
    return why_due(record(wildcards.track, wildcards.run))


progress = Progress()


onstart:
    progress.start({record(*name): run.resolved(root) for name, run in RUNS.items()})


onsuccess:
    progress.finish()


onerror:
    progress.finish()


rule all:
    input:
        [f"runs/{track}/{run}/.finished-{code_version(NOTEBOOK)}" for track, run in RUNS],
    message:
        "every run that you asked for is recorded"


rule train:
    output:
        touch("runs/{track}/{run}/.finished-{code}"),
    params:
        record=lambda wildcards: record(wildcards.track, wildcards.run),
        parameters=parameters,
        why=why,
    message:
        "{wildcards.track} {wildcards.run} {params.why}"
    # One thread per run: on two cores, two runs at the same time are faster than two successive runs on both cores.
    threads: 1
    # `:q` quotes: a path may contain spaces, `&` and quotation marks.
    shell:
        """
        rm -f {params.record:q}/.finished-*
        {sys.executable:q} -m papermill {NOTEBOOK:q} {params.record:q}/train.ipynb {params.parameters:q} \
          --log-output --no-progress-bar > {params.record:q}/train.log 2>&1
        test -e {params.record:q}/run.json
        """
