"""Weights in and out: files of this and other projects, pretrained networks, export, model cards."""
