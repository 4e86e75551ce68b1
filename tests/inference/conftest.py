"""What the tests of evaluations share."""

from __future__ import annotations

from functools import partial

import pytest

from trsfnet.evaluation import bootstrap, estimates, intervals
from trsfnet.inference.evaluate import comparison


@pytest.fixture
def few_replicates(monkeypatch):
    """Intervals of few draws of the people."""
    monkeypatch.setattr(estimates, "intervals", partial(intervals, replicates=20))
    monkeypatch.setattr(comparison, "compare_scores", partial(bootstrap.compare, replicates=20))
