"""Benchmarks: they need data or time that the tests do not."""
