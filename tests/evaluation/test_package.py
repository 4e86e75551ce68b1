"""The public names of the package are there, and cost nothing until they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trsfnet import evaluation


def test_every_public_name_is_there():
    assert {"score_all_pairs", "ten_fold", "TarAtFar"} < set(evaluation.__all__) == set(dir(evaluation))
    for name in evaluation.__all__:
        assert getattr(evaluation, name) is not None
    with pytest.raises(AttributeError, match="evaluation attribute nothing"):
        _ = evaluation.nothing


def test_a_training_waits_for_no_statistics():
    code = "import sys, trsfnet.training.loop; assert not {'scipy', 'pyarrow', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
