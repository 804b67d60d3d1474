"""Writes the table: one line for each provider and model, sorted, so that a change can be reviewed line by line.

Invariant: the bytes depend only on the inputs. `version` is the date of the newest input and a hash of the content.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from suffice.catalog.builder import from_genai, from_model_prices
from suffice.catalog.builder.merge import merge
from suffice.catalog.builder.sources import BuildError, Exact, Finding
from suffice.catalog.load import SCHEMA
from suffice.catalog.models import CAPABILITIES, Model
from suffice.catalog.prices import Calendar
from suffice.catalog.providers import Provider

OWN = Path(__file__).parent.parent / "data" / "own.toml"
OWN_PROVIDERS = Path(__file__).parent.parent / "data" / "own_providers.toml"


def providers(text: str) -> list[Provider]:
    """Return our provider table, sorted by id. Raises BuildError on an unknown field or a wrong type."""
    try:
        return [
            msgspec.convert({"id": key, **row}, Provider, strict=True)
            for key, row in sorted(tomllib.loads(text).items())
        ]
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"own_providers.toml: {error}") from None


def build(genai: Iterable[Any], snapshot: dict[str, Any], inputs: dict[str, str], *, strict: bool) -> tuple[bytes, str]:
    """Return the bytes of catalog.json and the text of the conflict report. Raises BuildError as `Exact.pico` does."""
    own = tomllib.loads(OWN.read_text())
    exact = Exact(repairs=own["exact"], strict=strict)
    ours = providers(OWN_PROVIDERS.read_text())
    read = from_genai.read(genai, own["genai"], own["genai_routed"], exact)
    history = from_model_prices.read(snapshot, own["model_prices"], exact)
    models = merge(read, history, own, exact)
    check(ours, models)
    as_of = max(own["as_of"], snapshot["updated_at"][:10])
    data = encode(ours, models, from_model_prices.calendars(snapshot), own["bare_order"], inputs, as_of)
    return data, report(exact.findings, inputs, as_of, models)


def check(ours: list[Provider], models: list[Model]) -> None:
    """Raise BuildError when a row contradicts the rules of the table."""
    ids = {p.id for p in ours}
    known = {m.id for m in models}
    for model in models:
        if model.provider not in ids:
            raise BuildError(f"{model.id}: no such provider")
        if model.id != f"{model.provider}/{model.name}":
            raise BuildError(f"{model.id}: the id is not provider/name")
        if unknown := model.capabilities - CAPABILITIES:
            raise BuildError(f"{model.id}: unknown capabilities {sorted(unknown)}")
        if model.like is not None and model.like.id not in known:
            raise BuildError(f"{model.id}: priced like {model.like.id}, which is not in the table")
        if [e.since for e in model.prices] != sorted(e.since for e in model.prices):
            raise BuildError(f"{model.id}: its entries are not in the order of time")


def encode(
    ours: list[Provider], models: list[Model], calendars: dict[str, Calendar], bare_order: list[str],
    inputs: dict[str, str], as_of: str,
) -> bytes:  # fmt: skip
    """Return the file: sorted keys, one line for each provider and model."""

    def line(value: Any) -> bytes:
        return msgspec.json.encode(value, order="sorted")

    body = b'"providers":[\n' + b",\n".join(line(p) for p in ours) + b"\n],\n"
    body += b'"models":[\n' + b",\n".join(line(m) for m in models) + b"\n]\n}\n"
    head = (
        b'"calendars":'
        + line(calendars)
        + b',\n"bare_order":'
        + line(bare_order)
        + b',\n"inputs":'
        + line(inputs)
        + b",\n"
    )
    version = f"{as_of}+{hashlib.sha256(head + body).hexdigest()[:12]}"
    top = b'{\n"schema":' + line(SCHEMA) + b',\n"version":' + line(version) + b',\n"as_of":' + line(as_of) + b",\n"
    return top + head + body


def report(findings: list[Finding], inputs: dict[str, str], as_of: str, models: list[Model]) -> str:
    """Return the conflict report as a page."""
    priced = sum(1 for m in models if m.prices or m.free)
    like = sum(1 for m in models if m.like is not None)
    lines = [
        "# Conflicts between price sources",
        "",
        f"Written by `tools/build_catalog.py`; as of {as_of}, from "
        + ", ".join(f"{k} {v}" for k, v in sorted(inputs.items()))
        + f". {len(models)} models: {priced} with a listed price, {like} estimated from another provider's row,"
        f" {len(models) - priced - like} without a price by token.",
        "",
        "Kinds: *conflict* two sources disagree and who wins; *repaired* an inexact number and what stands for it;",
        "*dropped* an inexact number left out; *zero* a 0 read as not listed; *skipped* a provider outside our table.",
    ]
    for kind in ("conflict", "repaired", "dropped", "zero", "skipped"):
        rows = sorted({(f.model, f.field, f.detail) for f in findings if f.kind == kind})
        lines += ["", f"## {kind} ({len(rows)})", ""]
        lines += ["| model | field | what |", "|---|---|---|"] if rows else ["None."]
        lines += [f"| `{model}` | {field} | {detail} |" for model, field, detail in rows]
    return "\n".join(lines) + "\n"
