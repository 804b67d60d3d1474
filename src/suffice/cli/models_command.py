"""Look models up: price, context, capabilities, aliases, deprecation, compliance facts with their sources.

PATTERN is a name, an alias, a part of one, or a pattern with `*`; one model that fits is told in full, several as a table.
`suffice models refresh` rebuilds the price table from the installed price packages (extra `catalog`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from suffice.cli.command import Exit, Io
from suffice.cli.options import utc
from suffice.cli.workspace import catalogue, configured, effective, folder_of
from suffice.errors import NotFoundError

if TYPE_CHECKING:
    from suffice.catalog.book import Catalog
    from suffice.catalog.lookup import Listing
    from suffice.catalog.models import Model
    from suffice.gateway.fleet import Fleet


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("pattern", metavar="PATTERN", nargs="?", default="", help="name, part or pattern; or `refresh`")
    parser.add_argument("--providers", action="store_true", help="show providers in place of models")
    parser.add_argument("--served", action="store_true", help="only what this configuration serves, and where")
    parser.add_argument("--conflicts", action="store_true", help="show where the price sources contradict each other")


def run(args: argparse.Namespace, io: Io) -> int:
    """Look up, or refresh."""
    if args.conflicts:
        from suffice.catalog import refresh

        text = refresh.render(strict=False)[1]
        io.out.say(text.rstrip())
        io.out.result({"conflicts": text})
        return Exit.OK
    settings = configured(args, io)
    folder = folder_of(settings, io)
    if args.pattern == "refresh":
        return _refresh(io, folder.catalogue)
    catalog = catalogue(folder)
    if args.providers:
        return _providers(io, catalog, args.pattern)
    if args.served:
        return _served(args, io, catalog)
    from suffice.gateway import fleet

    return _models(io, _with_own(fleet.build(settings, catalog, utc(io.env.now())[:10])), args.pattern)


def _with_own(built: Fleet) -> Catalog:
    """Return the fleet's catalogue and, beside its models, those that an endpoint lists and no price table knows."""
    from suffice.catalog.book import Catalog

    known = built.catalog
    rows = {model.id: model for model in known.models()}
    for served in built.served:
        rows.setdefault(served.model.id, served.model)
    return Catalog(
        version=known.version,
        providers=known.providers(),
        models=rows.values(),
        calendars=known.calendars,
        bare_order=known.bare_order,
    )


def _refresh(io: Io, into: Any) -> int:
    from suffice.catalog import refresh

    refresh.inputs()  # told before a folder is made
    into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = refresh.build(into)
    io.out.say(f"wrote {into}: {len(document.models)} models, prices of {document.as_of}")
    io.out.say("a running gateway takes it at its next start")
    io.out.result({"file": str(into), "version": document.version, "as_of": document.as_of, "inputs": document.inputs})
    return Exit.OK


def _models(io: Io, catalog: Catalog, pattern: str) -> int:
    from suffice.catalog import lookup

    found = lookup.find(catalog, pattern)
    if not found:
        close = lookup.nearest(catalog, pattern)
        hint = f"did you mean {' or '.join(close)}?" if close else "`suffice models` lists all"
        raise NotFoundError(f"no model fits {pattern!r}", hint=hint)
    listings = [lookup.listing(catalog, model, io.env.now()) for model in found]
    io.out.result({"version": catalog.version, "models": [as_dict(catalog, row) for row in listings]})
    if len(found) == 1 and not io.out.json_mode:
        _one(io, catalog, listings[0])
        return Exit.OK
    table(io, listings, [])
    io.out.say(f"{len(found)} models; dollars per million tokens, catalogue {catalog.version}; ~ estimated, ? unknown")
    return Exit.OK


def table(io: Io, rows: Sequence[Listing], extra: Sequence[tuple[str, ...]], *columns: str) -> None:
    """Show models as a table; `extra` holds further cells of each row, `columns` their titles."""
    cells = []
    for index, row in enumerate(rows):
        model = row.model
        cells.append(
            (
                model.id,
                *(_price(row, bucket) for bucket in ("input", "cache_read", "cache_write", "output")),
                f"{model.context_window:,}" if model.context_window else "?",
                " ".join(sorted(model.capabilities)),
                _end(model),
                *(extra[index] if extra else ()),
            )
        )
    heads = (">input", ">cache read", ">cache write", ">output", ">context", "can", "ends")
    io.out.table("", ("model", *heads, *columns), cells)


def _price(row: Listing, bucket: str) -> str:
    if row.kind == "unknown":
        return "?"
    return ("~" if row.kind == "estimated" else "") + f"{row.usd_per_mtok[bucket].normalize():f}"


def _end(model: Model) -> str:
    return model.deprecated_at or model.status


def _one(io: Io, catalog: Catalog, row: Listing) -> None:
    from suffice.catalog import lookup

    model, say = row.model, io.out.say
    provider = catalog.provider(model.provider)
    say(model.id)
    say(f"  provider      {provider.name if provider else model.provider}")
    say(f"  sent as       {model.name}")
    known = [f"{n:,} {what}" for n, what in ((model.context_window, "context"), (model.max_output, "output")) if n]
    say(f"  tokens        {', '.join(known) or 'unknown'}")
    words = lookup.capabilities(model)
    for title, value in (("can", True), ("cannot", False), ("not recorded", None)):
        names = [name for name, has in words.items() if has is value]
        if names:
            say(f"  {title:13} {', '.join(names)}")
    if model.aliases:
        say(f"  also known as {', '.join(model.aliases)}")
    others = [m for m in catalog.same_model(model.id) if m != model.id]
    if others:
        say(f"  also at       {', '.join(others)}")
    if _end(model):
        say(f"  ends          {_end(model)}")
    say()
    say(f"  price {row.kind}: {row.basis}")
    for bucket, amount in row.usd_per_mtok.items():
        say(f"    {bucket.replace('_', ' '):16} ${amount.normalize():f} per million tokens")
    if row.per_request_nano:
        say(f"    per request      ${row.per_request_nano / 1e9:.9f}".rstrip("0"))
    for entry in model.prices:
        since = f" from {entry.since}" if entry.since else ""
        for line in lookup.conditions(entry):
            say(f"    {line}{since}")
    if provider and provider.price_note:
        say(f"    note: {provider.price_note}")
    facts = lookup.attributes(catalog, model)
    if facts:
        say()
        say("  compliance facts (verify before you rely on them)")
        for name, fact in sorted(facts.items()):
            say(f"    {name:16} {fact.value}  [{fact.confidence}; {fact.source or 'no source'} {fact.date}]")
    say()
    say(f"  catalogue {catalog.version}, prices at {utc(io.env.now())} UTC")


def as_dict(catalog: Catalog, row: Listing) -> dict[str, object]:
    """Return everything known of a model for machines."""
    from suffice.catalog import lookup

    model = row.model
    return {
        "id": model.id,
        "provider": model.provider,
        "name": model.name,
        "kind": model.kind,
        "family": model.family,
        "context_window_tokens": model.context_window or None,
        "max_output_tokens": model.max_output or None,
        "capabilities": lookup.capabilities(model),
        "aliases": list(model.aliases),
        "same_model": [m for m in catalog.same_model(model.id) if m != model.id],
        "status": model.status or None,
        "deprecated_at": model.deprecated_at or None,
        "price": {
            "kind": row.kind,
            "basis": row.basis,
            "usd_per_mtok": {k: f"{v:f}" for k, v in row.usd_per_mtok.items()} or None,
            "per_request_nano_usd": row.per_request_nano,
            "conditions": [line for entry in model.prices for line in lookup.conditions(entry)],
            "version": row.version,
        },
        "attributes": {
            name: {"value": a.value, "source": a.source, "date": a.date, "confidence": a.confidence}
            for name, a in sorted(lookup.attributes(catalog, model).items())
        },
    }


def _providers(io: Io, catalog: Catalog, pattern: str) -> int:
    found = [p for p in catalog.providers() if pattern.lower() in f"{p.id} {p.name}".lower()]
    if not found:
        from suffice.config.problem import did_you_mean

        hint = did_you_mean(pattern, [p.id for p in catalog.providers()]) or "`suffice models --providers` lists all"
        raise NotFoundError(f"no provider fits {pattern!r}", hint=hint)
    counts: dict[str, int] = {}
    for model in catalog.models():
        counts[model.provider] = counts.get(model.provider, 0) + 1
    rows = [
        (p.id, p.name, counts.get(p.id, 0), p.auth.value, " ".join(p.env_vars), p.base_url, p.retired_at) for p in found
    ]
    io.out.table("", ("id", "name", ">models", "auth", "key in", "address", "retired"), rows)
    fields = ("id", "name", "models", "auth", "env_vars", "base_url", "retired_at")
    data = [
        dict(zip(fields, row, strict=True)) | {"env_vars": list(p.env_vars)} for row, p in zip(rows, found, strict=True)
    ]
    io.out.result({"version": catalog.version, "providers": data})
    return Exit.OK


def _served(args: argparse.Namespace, io: Io, catalog: Catalog) -> int:
    from suffice.catalog import lookup
    from suffice.gateway import fleet

    settings = effective(args, io, secrets=False)
    built = fleet.build(settings, catalog, utc(io.env.now())[:10])
    wanted = {model.id for model in lookup.find(_with_own(built), args.pattern)} if args.pattern else None
    rows = [s for s in built.served if wanted is None or s.arm.model in wanted]
    if not rows:
        hint = "suffice init" if not settings.endpoints else "`suffice models PATTERN` searches the whole catalogue"
        raise NotFoundError(
            "this configuration serves no such model" if args.pattern else "nothing is served", hint=hint
        )
    listings = [lookup.listing(built.catalog, s.model, io.env.now()) for s in rows]
    table(io, listings, [(s.arm.endpoint,) for s in rows], "endpoint")
    names = [*("auto", "fast", "best", "cheap"), *settings.aliases]
    io.out.say(f"{len(rows)} models at {len(built.endpoints)} endpoints; also to be asked for: {', '.join(names)}")
    io.out.result(
        {
            "version": built.catalog.version,
            "virtual": names,
            "served": [
                as_dict(built.catalog, row) | {"endpoint": s.arm.endpoint}
                for row, s in zip(listings, rows, strict=True)
            ],
        }
    )
    return Exit.OK
