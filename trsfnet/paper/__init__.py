"""The paper's published numbers and its claims, as data and types."""
