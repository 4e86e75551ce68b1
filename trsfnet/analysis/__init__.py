"""What the runs say, in numbers: contrasts, tests, power and verdicts. No words for readers, no pictures."""
