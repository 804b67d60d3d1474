"""Plain objects with the attributes that the real package has, so that the tests need no extra."""

from datetime import date
from decimal import Decimal as D
from types import SimpleNamespace as Obj

from suffice.catalog.builder.from_genai import equals, read
from suffice.catalog.builder.sources import Exact, SourceModel
from suffice.catalog.prices import Card, Service, Tier


def prices(**kind: object) -> Obj:
    return Obj(**kind)


def provider(id_: str, *models: Obj) -> Obj:
    return Obj(id=id_, models=list(models))


def model(name: str, price: object, **kind: object) -> Obj:
    row = {"match": Obj(equals=name), "context_window": 1000, "deprecated": None, "price_variants": None}
    return Obj(id=name, prices=price, **{**row, **kind})


def load(*providers: Obj, ours: dict[str, list[str]] | None = None, exact: Exact | None = None) -> list[SourceModel]:
    return read(providers, ours or {"openai": ["openai"]}, {"huggingface_x": ""}, exact or Exact(repairs={}))


def test_tiers_dates_and_services() -> None:
    tiered = Obj(base=D("2.5"), tiers=[Obj(start=272_000, price=D(5))])
    early = prices(input_mtok=D(4), output_mtok=D(8))
    late = prices(input_mtok=tiered, output_mtok=D(15), cache_read_mtok=D("0.25"))
    variants = [
        Obj(
            when={"processing": "batch"},
            prices=prices(input_mtok=D("1.25")),
            constraint=Obj(start_date=date(2026, 10, 1)),
        ),
        Obj(when={"route": "eu"}, prices=prices(input_mtok=D(9)), constraint=None),
    ]
    conditional = [
        Obj(constraint=None, prices=early),
        Obj(constraint=Obj(start_date=date(2026, 3, 5)), prices=late),
        Obj(constraint=Obj(start_time=1, end_time=2), prices=early),
    ]
    (row,) = load(provider("openai", model("gpt", conditional, price_variants=variants)))
    assert [e.since for e in row.entries] == ["", "2026-03-05"]
    assert row.entries[1].card == Card(input=2_500_000, output=15_000_000, cache_read=250_000)
    assert row.entries[1].tiers == (Tier(above=272_000, input=5_000_000),)
    assert row.entries[1].services == {
        "batch": Service(card=Card(input=1_250_000, output=15_000_000, cache_read=250_000))
    }


def test_variants_are_chosen_by_date_not_by_order() -> None:
    def batch(price: str, when: date) -> Obj:
        own = prices(input_mtok=D(price), output_mtok=D(price))
        return Obj(when={"processing": "batch"}, prices=own, constraint=Obj(start_date=when))

    conditional = [
        Obj(constraint=None, prices=prices(input_mtok=D(2), output_mtok=D(2))),
        Obj(constraint=Obj(start_date=date(2027, 1, 1)), prices=prices(input_mtok=D(4), output_mtok=D(4))),
    ]
    variants = [batch("2", date(2027, 1, 1)), batch("1", date(2026, 10, 1))]
    (row,) = load(provider("openai", model("g", conditional, price_variants=variants)))
    assert [e.services["batch"].multiplier for e in row.entries] == [(1, 2), (1, 2)]


def test_free_needs_the_mark_and_other_units_are_no_token_price() -> None:
    rows = load(provider("openai", model("a:free", prices()), model("whisper", prices(audio_hours=D(1)))))
    assert [(r.name, r.free, r.entries) for r in rows] == [("a:free", True, []), ("whisper", False, [])]


def test_image_output_takes_the_dearer_price() -> None:
    (row,) = load(provider("openai", model("i", prices(input_mtok=D(1), output_mtok=D(2), output_image_mtok=D(30)))))
    assert row.entries[0].card.output == 30_000_000


def test_routes_and_strangers() -> None:
    exact = Exact(repairs={})
    price = prices(input_mtok=D(1), output_mtok=D(1))
    rows = load(provider("huggingface_x", model("o/m", price)), provider("nobody", model("n", price)), exact=exact)
    assert [r.id for r in rows] == ["huggingface/o/m:x"]
    assert [(f.kind, f.model) for f in exact.findings] == [("skipped", "nobody")]


def test_only_exact_names_become_aliases() -> None:
    clause = Obj(or_=[Obj(equals="a"), Obj(starts_with="b"), Obj(or_=[Obj(equals="c")])])
    assert list(equals(clause)) == ["a", "c"]
