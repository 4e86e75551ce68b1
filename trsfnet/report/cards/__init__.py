"""The card of every run, which shows everything known about it, and the index of all cards.

Each run has its own page, except for the hundreds of small, similar runs of the stability study, which share
one page per variant. The book's Sphinx extension calls `write_cards` for each kind of network on each track.
Because there are so many cards, plain functions write them instead of a notebook.
"""

from trsfnet.report.cards.index import runs_index, unreadable, verdict
from trsfnet.report.cards.write import write_cards

__all__ = ["runs_index", "unreadable", "verdict", "write_cards"]
