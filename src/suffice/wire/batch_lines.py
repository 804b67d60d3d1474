"""The lines of a batch file (JSONL), or the requests of a batch of Messages: which models they ask for, how much they may cost, the
models' names as the provider knows them.

Each line is `{"custom_id", "method", "url", "body"}`, each request `{"custom_id", "params"}`. Pure. Invariant: one that cannot be priced
or checked is refused with its number, so that none goes out which nobody has looked at; those whose model needs no other name stay
byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from suffice.errors import RequestError

_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_MOST_TOKENS = 10_000_000


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What all lines for one model may come to. `output_tokens` sums the limits of lines that have one; `unlimited` have none."""

    model: str
    lines: int = 0
    prompt_bytes: int = 0
    output_tokens: int = 0
    unlimited: int = 0


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """A batch file: as it goes out, and its demand by model."""

    data: bytes
    demands: tuple[Demand, ...]


def read(data: bytes, name_of: Callable[[str], str]) -> Lines:
    """Return the file with the models' names as `name_of` gives them (it may refuse one). Raises RequestError naming the line."""
    out: list[bytes] = []
    found: dict[str, Demand] = {}
    changed = False
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        row, body = _row(line, number)
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise _bad(number, "its body names no model")
        upstream = name_of(model)
        changed = changed or upstream != model
        out.append(line if upstream == model else msgspec.json.encode(row | {"body": body | {"model": upstream}}))
        known = found.get(upstream) or Demand(model=upstream)
        found[upstream] = _more(known, body, len(line), f"line {number} of the file")
    if not found:
        raise RequestError("the file holds no line", code="invalid_batch_file", param="file")
    end = b"\n" if data.endswith(b"\n") else b""
    return Lines(data=b"\n".join(out) + end if changed else data, demands=tuple(found.values()))


def read_requests(data: bytes, name_of: Callable[[str], str]) -> Lines:
    """Return the array `requests` with the models' names as `name_of` gives them. Raises RequestError naming the request."""
    try:
        rows = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise RequestError("requests must be an array", param="requests") from None
    out: list[msgspec.Raw] = []
    found: dict[str, Demand] = {}
    changed = False
    for number, raw in enumerate(rows):
        where = f"requests[{number}]"
        row = msgspec.json.decode(raw)
        params = row.get("params") if isinstance(row, dict) else None
        model = params.get("model") if isinstance(params, dict) else None
        if not isinstance(params, dict) or not isinstance(model, str) or not model:
            raise RequestError(f"{where} has no params that name a model", param=where)
        upstream = name_of(model)
        changed = changed or upstream != model
        again = msgspec.json.encode(row | {"params": params | {"model": upstream}})
        out.append(raw if upstream == model else msgspec.Raw(again))
        # What is written to a cache costs up to twice what is only read.
        size = len(bytes(raw)) * (2 if b'"cache_control"' in bytes(raw) else 1)
        found[upstream] = _more(found.get(upstream) or Demand(model=upstream), params, size, where, param=where)
    if not found:
        raise RequestError("requests holds none", param="requests")
    return Lines(data=msgspec.json.encode(out) if changed else data, demands=tuple(found.values()))


def _row(line: bytes, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _bad(number, f"it is not valid JSON: {error}") from None
    body = row.get("body") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(body, dict):
        raise _bad(number, "it is no object with a body")
    return row, body


def _more(demand: Demand, body: dict[str, Any], size: int, where: str, param: str = "file") -> Demand:
    limits = [body[key] for key in _LIMITS if body.get(key) is not None]
    answers = 1 if body.get("n") is None else body["n"]
    for value in (*limits, answers):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST_TOKENS:
            why = "a limit or `n` is no number that can be counted with"
            raise RequestError(f"{where}: {why}", code="invalid_batch_file", param=param)
    return msgspec.structs.replace(
        demand,
        lines=demand.lines + 1,
        prompt_bytes=demand.prompt_bytes + size,
        output_tokens=demand.output_tokens + (min(limits) * answers if limits else 0),
        unlimited=demand.unlimited + (0 if limits else answers),
    )


def _bad(number: int, why: str) -> RequestError:
    return RequestError(f"line {number} of the file: {why}", code="invalid_batch_file", param="file")
