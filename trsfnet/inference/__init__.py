"""Networks in use: embeddings of faces and of folders, verification of two photographs."""
