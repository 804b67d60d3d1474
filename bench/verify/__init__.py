"""Measures the static gates of `suffice.verify` over task sets: references must pass, known defects must be caught."""
