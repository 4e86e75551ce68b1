"""Run records and the paper's numbers in; tables, figures and verdicts out.

The notebooks of the book call this package and hold no logic of their own. Nothing here trains, and
nothing here knows of Sphinx: every function takes an `Analysis` or a part of it and gives an object that
Jupyter can show.
"""
