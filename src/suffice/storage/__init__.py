"""The database. SQL stays in here."""
