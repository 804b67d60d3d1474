"""Running untrusted code. Never bypassed; with no working tier it refuses."""
