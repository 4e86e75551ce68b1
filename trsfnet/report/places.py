"""Where the book shows a run: on a card of its own, or in a row of its setting's page in the study."""

from __future__ import annotations

from trsfnet.experiments.budgets import budget_of
from trsfnet.experiments.record import Record
from trsfnet.experiments.variants import STABILITY, Variant
from trsfnet.models.inception_resnet import PAPER_SCALE, PAPER_SLOPE
from trsfnet.training.config import track_defaults

STUDY = "stability"


def setting(record: Record) -> Variant:
    """What the run varied, as the grid declares it."""
    config = record.config
    usual = {"scale_init": PAPER_SCALE if config["trsf"] else None, "slope_init": PAPER_SLOPE}
    starts = {name: None if config[name] == value else config[name] for name, value in usual.items()}
    if config["activation"] != "prelu":
        starts["slope_init"] = None
    return Variant(
        arch=config["arch"],
        trsf=config["trsf"],
        trsf_per_channel=config["trsf_per_channel"],
        activation=config["activation"],
        loss=config["loss"],
        **starts,
    )


def in_study(record: Record) -> bool:
    """Whether a run belongs to the study on stability, which varies the learning rate too."""
    usual = track_defaults(record.config["track"])["learning_rate"]
    at_usual_rate = {**record.config, "learning_rate": usual}
    return setting(record) in STABILITY and budget_of(at_usual_rate) == STUDY


def page(record: Record) -> str:
    """The file that has the run's card, in the folder of its track."""
    # By the folder and not by the id in the record: equal names would be one page.
    run = record.path.name
    return f"{STUDY}-{run.rpartition('-seed')[0]}.md" if in_study(record) else f"{run}.md"


def place(record: Record) -> str:
    """That file, and where on it the run is."""
    return f"{page(record)}#{anchor(record)}" if in_study(record) else page(record)


def anchor(record: Record) -> str:
    """Name of the row that a run of the study has."""
    # Without dots, which the theme's script would take for classes.
    return f"run-{record.path.name.replace('.', '-')}"
