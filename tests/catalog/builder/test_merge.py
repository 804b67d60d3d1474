from typing import Any

from suffice.catalog.builder.merge import dollars, merge, split_aliases
from suffice.catalog.builder.sources import Exact, SourceModel
from suffice.catalog.prices import Card, Entry, Schedule, Service, Tier

OWN: dict[str, Any] = {
    "as_of": "2026-11-22",
    "prefer": {},
    "capabilities": [{"match": "^gpt", "capabilities": ["tools"], "reviewed": True}],
    "max_output": [],
    "context": [{"match": "^gpt", "tokens": 7}],
    "shutdown": {"openai/gpt": "2027-01-01"},
    "correction": {},
    "untiered": {},
    "mirror": [{"provider": "azure", "from": "openai", "match": "^gpt", "why": "as there"}],
    "genai_routed": {"huggingface_n": "nebius"},
}


def source(name: str, *entries: Entry, provider: str = "openai", **kind: Any) -> SourceModel:
    return SourceModel(provider=provider, name=name, source="s", entries=list(entries), **kind)


def entry(input_: int, since: str = "", **kind: Any) -> Entry:
    return Entry(source="e", since=since, card=Card(input=input_, output=1, **kind.pop("card", {})), **kind)


def test_agreement_keeps_the_longer_past_and_both_services() -> None:
    plan = Schedule(hours_utc=((0, 60),), multiplier=(2, 1))
    ours = source("gpt", entry(5, services={"flex": Service(multiplier=(1, 2))}), entry(9, "2027-01-01"))
    theirs = source(
        "gpt",
        entry(3),
        entry(5, "2026-05-01", services={"batch": Service(multiplier=(1, 2))}, schedule=plan, card={"cache_write": 8}),
    )
    exact = Exact(repairs={})
    row = merge([ours], [theirs], OWN, exact)[-1]
    assert row.id == "openai/gpt" and not exact.findings
    assert [(e.since, e.card.input) for e in row.prices] == [("", 3), ("2026-05-01", 5), ("2027-01-01", 9)]
    assert (
        set(row.prices[1].services) == {"batch", "flex"}
        and row.prices[1].schedule == plan
        and row.prices[1].card.cache_write == 8
    )
    assert row.context_window == 7 and row.deprecated_at == "2027-01-01" and row.has("vision") is False


def test_disagreement_is_reported_and_the_preferred_wins() -> None:
    for prefer, wins in (({}, 5), ({"openai": "model-prices"}, 4)):
        exact = Exact(repairs={})
        row = merge([source("gpt", entry(5))], [source("gpt", entry(4))], {**OWN, "prefer": prefer}, exact)[-1]
        assert row.prices[-1].card.input == wins
        assert [(f.kind, f.model, f.field) for f in exact.findings] == [("conflict", "openai/gpt", "input")]


def test_own_corrections_win_over_everything() -> None:
    own = {**OWN, "correction": {"openai/gpt": {"input": "1", "output": "2", "source": "page"}}}
    exact = Exact(repairs={})
    row = merge([source("gpt", entry(5))], [], own, exact)[-1]
    assert row.prices == (Entry(source="page", card=Card(input=1_000_000, output=2_000_000)),) and exact.findings
    tiered = source("gpt", Entry(source="e", card=Card(input=1, output=1), tiers=(Tier(above=1, input=2),)))
    assert merge([tiered], [], {**OWN, "untiered": {"openai/gpt": "why"}}, exact)[-1].prices[0].tiers == ()


def test_an_alias_that_is_another_model_gets_its_own_row() -> None:
    rows = split_aliases(
        [source("gpt-5.1", entry(5), aliases=["gpt-5.1-codex", "gpt-5-1-codex", "gpt-5-1", "gpt-5.1-2025-11-13"])]
    )
    assert [(r.name, r.aliases) for r in rows] == [("gpt-5.1", ["gpt-5.1-2025-11-13"]), ("gpt-5.1-codex", [])]


def test_mirrors_and_routed_rows_have_no_price_of_their_own() -> None:
    routed = source("o/m:n", entry(5), provider="huggingface")
    rows = {m.id: m for m in merge([source("gpt", entry(5)), routed], [], OWN, Exact(repairs={}))}
    assert list(rows) == ["azure/gpt", "huggingface/o/m:n", "nebius/o/m", "openai/gpt"]
    for name, like in (("azure/gpt", "openai/gpt"), ("nebius/o/m", "huggingface/o/m:n")):
        model = rows[name]
        assert model.prices == () and model.like is not None and model.like.id == like


def test_the_order_of_the_inputs_does_not_matter() -> None:
    a, b = source("gpt-a", entry(5)), source("gpt-b", entry(6))
    assert merge([a, b], [], OWN, Exact(repairs={})) == merge([b, a], [], OWN, Exact(repairs={}))


def test_dollars() -> None:
    assert [dollars(v) for v in (2_500_000, 1, 1_000_000)] == ["2.5", "0.000001", "1"]
