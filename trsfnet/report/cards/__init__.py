"""The card of every run, which says all there is to know about it, and the index of them.

A run has a page of its own, but those of the stability study, which are hundreds, small and alike, share
one for each variant. The book's Sphinx extension calls `write_cards` for each kind of network on each track;
there are so many that cards are made from plain functions and not from a notebook.
"""

from trsfnet.report.cards.index import runs_index, unreadable, verdict
from trsfnet.report.cards.write import write_cards

__all__ = ["runs_index", "unreadable", "verdict", "write_cards"]
