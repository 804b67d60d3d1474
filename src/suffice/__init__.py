"""Suffice: the cheapest model that suffices, and the proof.

A self-hosted gateway for AI coding. The parts and their layers are described in docs/architecture.md.
"""

__version__ = "0.1.0"
