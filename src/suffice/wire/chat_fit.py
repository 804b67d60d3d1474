"""A chat request fitted to a provider of the same dialect by splices: fields renamed or left out, roles and ids of messages.

The rest of the body stays byte for byte as the client sent it, so that prompt caches still match. What is left out is declared. It is
pure. Invariant: for a provider without peculiarities nothing is changed and nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from suffice.wire.disguise import shaped_id
from suffice.wire.neutral import Loss
from suffice.wire.prescan import TopLevel

_LIMITS = ("max_tokens", "max_completion_tokens")
_Rows = msgspec.json.Decoder(list[msgspec.Raw])
_Row = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode
_NOTHING = msgspec.Raw(b"null")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider of the chat dialect wants otherwise; the fields mean what `catalog.providers.Quirks` says.

    `limit_field` is the only output limit it takes, "" when it takes what clients send.
    """

    limit_field: str = ""
    seed_field: str = "seed"
    developer_role: bool = False
    alnum9_ids: bool = False
    parallel_tool_calls: bool = True
    max_stop: int | None = None
    unsupported: tuple[str, ...] = ()


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """Splices for `prescan.TopLevel.splice`, and what was left out."""

    changes: Mapping[str, bytes | None] = {}
    losses: tuple[Loss, ...] = ()


AS_IT_IS = Fitted()


def fit(top: TopLevel, rules: Rules) -> Fitted:
    """Return the splices that fit the request to `rules`."""
    changes: dict[str, bytes | None] = {}
    losses: list[Loss] = []
    if rules.limit_field:
        _limit(top, rules.limit_field, changes)
    if rules.seed_field != "seed" and "seed" in top.spans:
        changes["seed"] = None
        changes[rules.seed_field] = top.value("seed")
    if not rules.parallel_tool_calls and "parallel_tool_calls" in top.spans:
        changes["parallel_tool_calls"] = None
        losses.append(Loss(kind="dropped", field="parallel_tool_calls", why="the provider does not take it"))
    if rules.max_stop is not None:
        _stop(top, rules.max_stop, changes, losses)
    for name in rules.unsupported:
        if name in top.spans and name not in changes:
            changes[name] = None
            # Usage is asked for by the gateway, and shown to the client as it wished, whether or not the field goes out.
            if name != "stream_options" and top.value(name) != b"null":
                losses.append(Loss(kind="dropped", field=name, why="the provider does not take it"))
    messages = _messages(top.value("messages") or b"", rules)
    if messages is not None:
        changes["messages"] = messages
    return Fitted(changes=changes, losses=tuple(losses)) if changes else AS_IT_IS


def _limit(top: TopLevel, name: str, changes: dict[str, bytes | None]) -> None:
    other = _LIMITS[1 - _LIMITS.index(name)]
    value = top.value(other)
    if value is None:
        return
    changes[other] = None
    if name not in top.spans and value != b"null":
        changes[name] = value


def _stop(top: TopLevel, most: int, changes: dict[str, bytes | None], losses: list[Loss]) -> None:
    raw = top.value("stop")
    if raw is None or raw[:1] != b"[":
        return
    rows = _Rows.decode(raw)
    if len(rows) > most:
        changes["stop"] = _encode(rows[:most])
        losses.append(Loss(kind="dropped", field="stop", why=f"at most {most}"))


def _messages(raw: bytes, rules: Rules) -> bytes | None:
    """Return the messages with those written anew that must be, None when all can stay."""
    roles = not rules.developer_role and b'"developer"' in raw
    ids = rules.alnum9_ids and b'"tool_call' in raw
    if not (roles or ids):
        return None
    try:
        rows = _Rows.decode(raw)
        writer = _Writer(rules)
        out = [writer.row(row) for row in rows]
    except (msgspec.MsgspecError, UnicodeError):
        return None  # not what messages are; the provider says so better
    return b"[" + b",".join(out) + b"]" if writer.changed else None


class _Writer:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._names: dict[str, msgspec.Raw] = {}
        self.changed = False

    def row(self, raw: msgspec.Raw) -> bytes:
        """Return one message, as it came when nothing in it must change."""
        row = _Row.decode(raw)
        changes: dict[str, Any] = {}
        if not self._rules.developer_role and bytes(row.get("role", _NOTHING)) == b'"developer"':
            changes["role"] = "system"
        if self._rules.alnum9_ids:
            self._ids(row, changes)
        if not changes:
            return bytes(raw)
        self.changed = True
        return _encode(row | changes)

    def _ids(self, row: dict[str, msgspec.Raw], changes: dict[str, Any]) -> None:
        if bytes(row.get("tool_calls", _NOTHING)) != b"null":
            calls = [_Row.decode(call) for call in _Rows.decode(row["tool_calls"])]
            shaped = [call | self._shaped("id", call) for call in calls]
            for call in calls:
                name = _Row.decode(call["function"]).get("name") if "function" in call else None
                if name is not None:
                    self._names[bytes(call.get("id", _NOTHING)).decode()] = name
            if shaped != calls:
                changes["tool_calls"] = shaped
        if "tool_call_id" in row:
            changes |= self._shaped("tool_call_id", row)
            name = self._names.get(bytes(row["tool_call_id"]).decode())
            # Providers that want such ids also want the tool's name with its result.
            if name is not None and "name" not in row:
                changes["name"] = name

    @staticmethod
    def _shaped(key: str, row: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
        if key not in row:
            return {}
        given = msgspec.json.decode(row[key], type=str)
        shaped = shaped_id(given, "alnum9")
        return {key: shaped} if shaped != given else {}
