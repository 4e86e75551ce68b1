"""The paper's figures 1 and 2, drawn from our networks, so that they always agree with the code."""

from trsfnet.report.architecture.module import modules
from trsfnet.report.architecture.networks import overview
from trsfnet.report.architecture.structure import Network, Part, network

__all__ = ["Network", "Part", "modules", "network", "overview"]
