"""A card for every run, a page that says all there is to know about it, and the index of them.

The book's Sphinx extension calls `write_card` for each record; there are hundreds, so a card is made from
plain functions and not from a notebook.
"""

from trsfnet.report.cards.card import write_card
from trsfnet.report.cards.index import runs_index, unreadable, verdict

__all__ = ["runs_index", "unreadable", "verdict", "write_card"]
