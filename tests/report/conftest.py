"""The committed results, read once for all tests of a process."""

from __future__ import annotations

import pytest

from trsfnet.analysis import Analysis, load
from trsfnet.report.summary import RESULTS


@pytest.fixture(scope="session")
def committed() -> Analysis:
    """Return the analysis of the committed runs."""
    return load(RESULTS)
