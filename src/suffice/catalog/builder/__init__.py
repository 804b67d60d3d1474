"""The builder of the generated table. Runs at release time and in `suffice models refresh`, never on a request."""
