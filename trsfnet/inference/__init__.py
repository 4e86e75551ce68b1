"""Inference: embeddings of faces and of whole folders, and verification of two photographs."""
