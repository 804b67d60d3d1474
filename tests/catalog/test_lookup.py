from decimal import Decimal

import pytest

from suffice.catalog import lookup
from suffice.catalog.load import load
from suffice.catalog.models import Model
from suffice.catalog.prices import Card, Entry, Schedule, Service, Tier

CATALOG = load()
AT = 1_795_000_000.0


def ids(pattern):
    return [m.id for m in lookup.find(CATALOG, pattern)]


def test_a_name_is_one_model_and_a_part_is_all_that_hold_it():
    assert ids("openai/gpt-4o-mini") == ["openai/gpt-4o-mini"]
    assert len(ids("sonnet")) > 1 and all("sonnet" in i.lower() for i in ids("sonnet"))
    globbed = ids("anthropic/*sonnet*")
    assert globbed and all(i.startswith("anthropic/") for i in globbed)
    assert len(ids("")) == len(CATALOG.models()) and ids("no-such-model-anywhere") == []


def test_misspelt_names_are_suggested():
    assert "openai/gpt-4o-mini" in lookup.nearest(CATALOG, "openai/gpt-4o-mni")
    assert lookup.nearest(CATALOG, "zzzzzzzzzzzzzzzz") == ()


@pytest.mark.parametrize("model", CATALOG.models()[::97], ids=lambda m: m.id)
def test_every_price_is_told_with_its_kind_and_an_unknown_one_without_a_number(model):
    row = lookup.listing(CATALOG, model, AT)
    assert row.kind in ("known", "estimated", "unknown") and row.basis
    assert bool(row.usd_per_mtok) == (row.kind != "unknown")


def test_unknown_is_not_zero():
    assert lookup.listing(CATALOG, Model(id="x/y", provider="x", name="y"), AT).usd_per_mtok == {}
    assert lookup.dollars(1_250_000) == Decimal("1.25")


def test_conditions_of_a_price_are_words():
    entry = Entry(
        source="s",
        card=Card(input=1_000_000, output=2_000_000),
        tiers=(Tier(above=200_000, input=2_000_000),),
        services={"batch": Service(multiplier=(1, 2)), "fast": Service(card=Card(input=6_000_000))},
        schedule=Schedule(hours_utc=((60, 240),), multiplier=(2, 1), weekdays_only=True),
    )
    assert list(lookup.conditions(entry)) == [
        "above 200,000 prompt tokens: input $2",
        "service tier batch: times 1/2",
        "service tier fast: input $6",
        "01:00-04:00 UTC on working days: times 2/1",
    ]


def test_facts_of_the_provider_hold_for_its_models():
    model = CATALOG.model("openai/gpt-4o-mini")
    assert "training" in lookup.attributes(CATALOG, model)
    assert lookup.capabilities(model)["tools"] is True
