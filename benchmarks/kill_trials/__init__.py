"""Kills every task that writes files at random moments; its result must equal that of an undisturbed run."""
