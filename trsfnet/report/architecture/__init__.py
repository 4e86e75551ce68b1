"""The paper's figures 1 and 2, drawn from the networks themselves: what changes there changes here."""

from trsfnet.report.architecture.module import modules
from trsfnet.report.architecture.networks import overview
from trsfnet.report.architecture.structure import Network, Part, network

__all__ = ["Network", "Part", "modules", "network", "overview"]
