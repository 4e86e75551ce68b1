"""Golden runs: tiny trainings whose results are committed, so that no change alters the arithmetic unseen."""
