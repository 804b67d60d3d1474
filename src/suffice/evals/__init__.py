"""Is it any good: replay of recorded outcomes, policies side by side, intervals."""
