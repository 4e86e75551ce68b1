"""How a run collapsed comes back from its record as it was, and nonsense is refused."""

from __future__ import annotations

import json

import pytest

from trsfnet.training.collapsed import Collapsed


@pytest.mark.parametrize("collapsed", [Collapsed("loss", 7), Collapsed("chance")])
def test_it_comes_back_from_json(collapsed):
    assert Collapsed.from_dict(json.loads(json.dumps(collapsed.to_dict()))) == collapsed


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "boredom", "step": 3}, "kind must be one of loss, .*got 'boredom'"),
        ({"kind": "loss", "step": 0}, "step must be a whole number above 0"),
        ({"kind": "loss", "step": True}, "step must be"),
        ({"kind": "loss"}, "must have kind and step, got kind"),
    ],
)
def test_nonsense_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        Collapsed.from_dict(fields)
