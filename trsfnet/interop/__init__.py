"""Import and export of weights: files of this and other projects, pretrained networks, model cards."""
