# The runs behind the book: `snakemake -n` says what is missing and why, `snakemake --cores 2` trains it.
#
#   snakemake --cores 2 --config scale=quick                      the paper's 18 runs on rendered faces
#   snakemake --cores 2 --config scale=full track=lfw seeds=0,1   on real ones, two seeds
#   snakemake --cores 2 --config study=stability                  the study on collapse
#   snakemake --cores 2 --config exhibit="table 1"                only what feeds one table or figure
#
# A run is done when its notebook has been executed; the flags below say so. The records are not outputs
# here, because Snakemake deletes the outputs of a failed job, and a record with its checkpoint is just what
# an interrupted run goes on from.

import shlex

from trsfnet.data.tracks import data_root
from trsfnet.experiments.code import source_files
from trsfnet.experiments.run import papermill_parameters
from trsfnet.experiments.studies import planned_runs

RUNS = planned_runs(config, data_root())


def parameters(wildcards):
    return shlex.join([*papermill_parameters(RUNS[wildcards.track, wildcards.run]), "-p", "again", "True"])


def code(wildcards):
    """Hashes of the files that determine the run: when one changes, so does this, and the run is stale."""
    return [f"{name} {digest}" for name, digest in source_files(wildcards.track).items()]


rule all:
    input:
        [f"runs/.finished/{track}/{run}" for track, run in RUNS],


rule train:
    output:
        touch("runs/.finished/{track}/{run}"),
    params:
        parameters=parameters,
        record="runs/{track}/{run}",
        code=code,
    # One thread a run: two runs side by side on two cores are faster than one run after the other on both.
    threads: 1
    resources:
        gpu=1,
    retries: 0
    shell:
        """
        mkdir -p {params.record}
        papermill notebooks/train.ipynb {params.record}/train.ipynb {params.parameters} \
          --log-output --no-progress-bar
        """
