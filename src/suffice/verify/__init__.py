"""Verdicts on code that came back. Nothing is executed outside the sandbox."""
