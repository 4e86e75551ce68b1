"""Turn run records and the paper's numbers into tables, figures and verdicts.

The book's notebooks call this package and contain no logic of their own. The package neither trains
networks nor depends on Sphinx: its functions take an `Analysis` or a part of it and return an object that
Jupyter can display.
"""
