"""Talking to providers: transport, health, faults. It never decides which model."""
