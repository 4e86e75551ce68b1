"""The pages on the data: a module for each track, and one that compares the tracks."""
