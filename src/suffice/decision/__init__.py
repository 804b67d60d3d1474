"""The brain: which model, why, and what next. Pure numpy; clock, seed and measurements come in as arguments."""
