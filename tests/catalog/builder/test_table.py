from decimal import Decimal as D
from types import SimpleNamespace as Obj
from typing import Any

import msgspec
import pytest

from suffice.catalog.builder.sources import BuildError
from suffice.catalog.builder.table import build, check, providers
from suffice.catalog.load import Document
from suffice.catalog.models import Like, Model
from suffice.catalog.prices import Card, Entry

EMPTY: dict[str, Any] = {
    "prices": {},
    "status": {},
    "schedules": {"holidays": {}, "schedule": []},
    "updated_at": "2026-12-24T00:00:00Z",
}


def genai(*names: str, price: str = "1") -> list[Any]:
    models = [
        Obj(
            id=n,
            match=Obj(equals=n),
            context_window=None,
            deprecated=None,
            price_variants=None,
            prices=Obj(input_mtok=D(price), output_mtok=D(2)),
        )
        for n in names
    ]
    return [Obj(id="openai", models=models)]


def test_equal_inputs_give_equal_bytes_in_any_order() -> None:
    one, report = build(genai("gpt-x", "gpt-y"), EMPTY, {"p": "1"}, strict=True)
    assert build(genai("gpt-y", "gpt-x"), EMPTY, {"p": "1"}, strict=True) == (one, report)
    other, _ = build(genai("gpt-x", "gpt-y", price="3"), EMPTY, {"p": "1"}, strict=True)
    first, second = (msgspec.json.decode(d, type=Document) for d in (one, other))
    assert first.as_of == "2026-12-24" and first.version != second.version
    assert len(first.providers) == 41 and "openai/gpt-x" in {m.id for m in first.models}


def test_inexact_inputs_stop_a_release_and_not_a_refresh() -> None:
    with pytest.raises(BuildError, match="gpt-x"):
        build(genai("gpt-x", price="0.12345678"), EMPTY, {}, strict=True)
    _, report = build(genai("gpt-x", price="0.12345678"), EMPTY, {}, strict=False)
    assert "## dropped (1)" in report


def test_a_wrong_provider_table_is_refused() -> None:
    with pytest.raises(BuildError, match="own_providers"):
        providers("[x]\nname = 3\nbase_url = 'https://x'")


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Model(id="nope/m", provider="nope", name="m"), "no such provider"),
        (Model(id="x/n", provider="x", name="m"), "not provider/name"),
        (Model(id="x/m", provider="x", name="m", capabilities=frozenset({"magic"})), "magic"),
        (Model(id="x/m", provider="x", name="m", like=Like(id="x/z", why="")), "not in the table"),
        (
            Model(
                id="x/m",
                provider="x",
                name="m",
                prices=tuple(Entry(source="", card=Card(), since=s) for s in ("2", "1")),
            ),
            "order",
        ),
    ],
)
def test_contradictory_rows_are_refused(model: Model, says: str) -> None:
    table = providers("[x]\nname = 'X'\nbase_url = 'https://x'")
    with pytest.raises(BuildError, match=says):
        check(table, [model])
