"""What the commands that take a network have in common."""

from __future__ import annotations

import argparse


def model(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Declare MODEL."""
    known = "a run's folder, a file of weights, vggface2 or casia-webface"
    parser.add_argument("model", metavar="MODEL", help=f"{more}{known}")
