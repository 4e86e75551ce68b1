"""Models that travel: weights from anywhere, embeddings of faces, files that others can use."""
