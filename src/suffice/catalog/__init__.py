"""Providers, models and prices. Nothing is fetched at import or on the request path."""
