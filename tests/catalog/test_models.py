from suffice.catalog.models import Model


def test_a_capability_is_unknown_until_somebody_listed_them_all() -> None:
    open_row = Model(id="p/m", provider="p", name="m", capabilities=frozenset({"tools"}))
    assert open_row.has("tools") is True and open_row.has("vision") is None
    closed = Model(id="p/m", provider="p", name="m", capabilities=frozenset({"tools"}), reviewed=True)
    assert closed.has("vision") is False
