"""Faces to train and evaluate on, one file per source."""
