"""Scriptable providers on loopback, shipped to users."""
