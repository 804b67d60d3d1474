import pytest

from suffice.storage import statements


def test_every_name_is_defined_once_and_loads():
    assert {"generation", "take_lease", "append_row", "keys", "spend"} <= set(statements.load())


@pytest.mark.parametrize(
    "text", ["-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;", "-- name: a\n\n-- name: b\nSELECT 1;"]
)
def test_repeated_and_empty_statements_are_refused(text):
    with pytest.raises(ValueError, match="repeated or empty"):
        statements.parse(text)


def test_migrations_count_up_from_one():
    assert [version for version, _ in statements.migrations()] == [1, 2, 3, 4]
