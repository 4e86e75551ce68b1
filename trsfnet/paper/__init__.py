"""The paper's published numbers and claims, as typed data."""
