"""Commands, and the composition root. It holds no logic."""
