"""Runs and their records, the paper's grid of experiments and the project's own studies."""
