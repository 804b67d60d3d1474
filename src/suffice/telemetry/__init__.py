"""Metrics and spans. They never hold prompts or secrets."""
