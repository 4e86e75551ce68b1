"""Parameters of the notebook that trains, checked before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from trsfnet.errors import ConfigError
from trsfnet.experiments.options import OPTIONS
from trsfnet.experiments.parameters import SETTINGS, notebook_config
from trsfnet.training.config import TrainConfig


def namespace(**given: Any) -> dict[str, Any]:
    """The notebook's `globals()` after papermill added the cell with `given`."""
    defaults: dict[str, Any] = dict.fromkeys(SETTINGS)
    defaults |= {"milestones": [], "preset": None, "data_root": None, "runs": "runs", "devices": 1}
    cell = "\n".join(["# Parameters", *(f"{name} = {value!r}" for name, value in given.items())])
    own = "number = 3"
    return defaults | {"again": False, "In": ["", "arch: str = 'v1'", cell, own], "number": 3} | given


def test_parameters_become_the_configuration():
    given = {"trsf": True, "activation": "prelu", "slope_init": -1e-3, "runs": "elsewhere", "devices": 2}
    assert notebook_config(namespace(**given)) == TrainConfig(trsf=True, activation="prelu", slope_init=-1e-3)
    assert notebook_config(namespace(preset="ms1mv2", track=None)).track == "paper"
    assert OPTIONS.keys().isdisjoint(SETTINGS)


def test_numbers_that_yaml_reads_as_text_are_numbers():
    given = {"trsf": True, "activation": "prelu", "slope_init": "-1e-3", "learning_rate": "5E-2"}
    config = notebook_config(namespace(**given))
    assert (config.slope_init, config.learning_rate) == (-1e-3, 0.05)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"trfs": True}, "Unknown parameter 'trfs'; the nearest is 'trsf'."),
        ({"images": "abc"}, "Unknown parameter 'images'; the nearest is 'image_size'."),
        ({"device": 2}, "Unknown parameter 'device'; the nearest is 'devices'."),
        ({"trsf": "yes"}, "trsf must be True or False, got 'yes'."),
        ({"again": "yes"}, "again must be True or False, got 'yes'."),
        ({"runs": 5}, "runs must be text, got 5."),
        ({"data_root": True}, "data_root must be text or None, got True."),
        ({"devices": 1.5}, "devices must be a whole number, got 1.5."),
        ({"preset": "vgg"}, "preset must be one of 'vggface2', 'ms1mv2', got 'vgg'."),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(given, says):
    with pytest.raises(ConfigError) as refused:
        notebook_config(namespace(**given))
    assert str(refused.value) == says
