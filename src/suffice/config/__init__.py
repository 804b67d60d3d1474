"""`suffice.toml`: its schema, its loading, and the environment; the only room that reads environment variables."""
