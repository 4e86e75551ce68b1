"""Runs and their records, the paper's grid of experiments, and its published numbers."""
