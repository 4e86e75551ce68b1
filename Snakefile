# The runs behind the tables: `snakemake -n` says what is missing, `snakemake -j1` trains it.
#
# A run is done when its notebook has been executed; the flags below say so. The records are not outputs
# here, because Snakemake deletes the outputs of a failed job, and a record with its checkpoint is just what
# an interrupted run goes on from.

import shlex

from trsfnet.data.tracks import data_root
from trsfnet.experiments.grid import table_settings
from trsfnet.experiments.run import papermill_parameters

TRACK = config.get("track", "synthetic")
SEEDS = str(config.get("seeds", "0")).split(",")
RUNS = {}
for seed in SEEDS:
    for setting in table_settings(int(config.get("table", 1))):
        run_config = setting.config(track=TRACK, seed=int(seed))
        RUNS[run_config.resolved(data_root()).run_id] = run_config


def parameters(wildcards):
    return shlex.join(papermill_parameters(RUNS[wildcards.run]))


rule all:
    input:
        [f"runs/.finished/{TRACK}/{run}" for run in RUNS],


rule train:
    input:
        "notebooks/train.ipynb",
    output:
        touch(f"runs/.finished/{TRACK}/{{run}}"),
    params:
        parameters=parameters,
        record=f"runs/{TRACK}/{{run}}",
    shell:
        """
        mkdir -p {params.record}
        papermill {input} {params.record}/train.ipynb {params.parameters} --log-output --no-progress-bar
        """
