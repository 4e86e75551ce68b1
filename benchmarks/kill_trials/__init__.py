"""Kills at random moments of everything that writes files; its end must be that of one left alone."""
