"""Face data for training and evaluation, with one module per source."""
