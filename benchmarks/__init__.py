"""Benchmarks of speed, memory and robustness; ratios compare variants measured in one run on one machine."""
