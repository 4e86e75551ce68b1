"""The pages on the data: a module for each track, and one that sets them side by side."""
