"""Stored responses: what `store` and `previous_response_id` promise, kept by the gateway for every provider.

Each tenant has its own space: an id of another tenant is an id that does not exist. A response is kept with the items that it
added; the conversation before it is found by walking `previous_response_id`, so a long chain is stored once. Bounds (count and
bytes for a tenant, bytes for all) and the time to live are kept at every write; what was used longest ago goes first, and using
a response keeps its whole chain. In memory: a restart forgets, and clients are told so by `previous_response_not_found`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from suffice.errors import NotFoundError, RequestError
from suffice.values.env import Env
from suffice.wire.responses_items import items_of

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """Bounds of the store; sizes in bytes of JSON, time in seconds."""

    responses_per_tenant: int = 2_000
    bytes_per_tenant: int = 64 * 1024 * 1024
    bytes_total: int = 256 * 1024 * 1024
    ttl_s: float = 24 * 3600.0


@dataclass(slots=True, kw_only=True)
class _Stored:
    response: dict[str, Any]
    added: list[Item]
    output: list[Item]
    previous: str
    expires_s: float
    size: int
    cancel: Callable[[], None] | None = None


@dataclass(slots=True)
class _Tenant:
    responses: OrderedDict[str, _Stored] = field(default_factory=OrderedDict)
    items: dict[str, str] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A request whose references are resolved. `added`: the caller's own items; `items`: the whole conversation.

    `changes` are the top-level fields to splice into the body so that a provider without our state understands it.
    """

    previous_id: str
    added: list[Item]
    items: list[Item]
    changes: dict[str, bytes | None]


class ResponseStore:
    """Responses by tenant and id. One instance for each process; not shared among processes."""

    def __init__(self, env: Env, limits: StoreLimits | None = None) -> None:
        self._env = env
        self._limits = limits or StoreLimits()
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()
        self.size = 0

    # --- writing ---

    def put(
        self,
        tenant: str,
        response: dict[str, Any],
        added: list[Item],
        output: list[Item] | None = None,
        *,
        previous_id: str = "",
        cancel: Callable[[], None] | None = None,
    ) -> bool:
        """Keep `response` (with its id) and return whether it fits. A repeat with the same id replaces the first.

        `added` are the items that the request brought, `output` the answer's items with all state (default: as in `response`).
        `cancel` stops a response that still runs in the background.
        """
        response_id = str(response.get("id") or "")
        output = items_of(response) if output is None else output
        size = len(msgspec.json.encode([response, added, output])) + 512
        limits = self._limits
        if not response_id or size > min(limits.bytes_per_tenant, limits.bytes_total):
            return False
        self._forget(tenant, response_id)
        space = self._tenants.setdefault(tenant, _Tenant())
        self._tenants.move_to_end(tenant)
        space.responses[response_id] = _Stored(
            response=response,
            added=added,
            output=output,
            previous=previous_id,
            expires_s=self._env.now() + limits.ttl_s,
            size=size,
            cancel=cancel,
        )
        for item in (*added, *output):
            if isinstance(item.get("id"), str):
                space.items[item["id"]] = response_id
        space.size += size
        self.size += size
        self._touch(space, response_id)
        self._bound(tenant, response_id)
        return True

    def _touch(self, space: _Tenant, response_id: str) -> None:
        """Make a chain the last to be evicted, its newest response last of all."""
        chain: dict[str, None] = {}
        while response_id in space.responses and response_id not in chain:
            chain[response_id] = None
            response_id = space.responses[response_id].previous
        for one in reversed(chain):
            space.responses.move_to_end(one)

    def _bound(self, tenant: str, newest: str) -> None:
        limits, space = self._limits, self._tenants[tenant]
        now = self._env.now()
        while space.responses and next(iter(space.responses.values())).expires_s <= now:
            self._forget(tenant, next(iter(space.responses)))
        while len(space.responses) > limits.responses_per_tenant or space.size > limits.bytes_per_tenant:
            self._forget(tenant, next(iter(space.responses)))
        while self.size > limits.bytes_total:
            # The tenant that wrote longest ago pays first; the response just written is never the one.
            other = next(iter(self._tenants))
            oldest = next(iter(self._tenants[other].responses))
            if other == tenant and oldest == newest:
                break
            self._forget(other, oldest)

    def _forget(self, tenant: str, response_id: str) -> None:
        space = self._tenants.get(tenant)
        stored = space.responses.pop(response_id, None) if space is not None else None
        if space is None or stored is None:
            return
        space.size -= stored.size
        self.size -= stored.size
        for item in (*stored.added, *stored.output):
            known = item.get("id")
            if isinstance(known, str) and space.items.get(known) == response_id:
                del space.items[known]
        if not space.responses:
            del self._tenants[tenant]

    # --- reading ---

    def _find(self, tenant: str, response_id: str) -> _Stored | None:
        space = self._tenants.get(tenant)
        stored = space.responses.get(response_id) if space is not None else None
        if stored is not None and stored.expires_s <= self._env.now():
            self._forget(tenant, response_id)
            return None
        return stored

    def _get(self, tenant: str, response_id: str) -> _Stored:
        stored = self._find(tenant, response_id)
        if stored is None:
            raise NotFoundError(f"Response with id '{response_id[:80]}' not found.", code="response_not_found")
        return stored

    def retrieve(self, tenant: str, response_id: str) -> dict[str, Any]:
        """Return the response object as the client saw it. Raises NotFoundError (404)."""
        return self._get(tenant, response_id).response

    def delete(self, tenant: str, response_id: str) -> dict[str, Any]:
        """Forget a response and return the confirmation. Raises NotFoundError."""
        self._get(tenant, response_id)
        self._forget(tenant, response_id)
        return {"id": response_id, "object": "response.deleted", "deleted": True}

    def cancel(self, tenant: str, response_id: str) -> dict[str, Any]:
        """Stop a background response and return it. Raises NotFoundError, RequestError when it does not run in background."""
        stored = self._get(tenant, response_id)
        if not stored.response.get("background"):
            raise RequestError("Only responses that run in the background can be cancelled.", code="not_cancellable")
        if stored.response.get("status") in ("queued", "in_progress"):
            if stored.cancel is not None:
                stored.cancel()
            stored.response = stored.response | {"status": "cancelled"}
        return stored.response

    def input_items(
        self, tenant: str, response_id: str, *, limit: int = 20, after: str = "", order: str = "desc"
    ) -> dict[str, Any]:
        """Return one page of the response's input, chain included, as a list object. Raises NotFoundError, RequestError."""
        if not 0 <= limit <= 100:
            raise RequestError("limit must be a whole number from 1 to 100", param="limit")
        limit = limit or 20  # the specification names no smallest value: 0 is taken as not given
        if order not in ("asc", "desc"):
            raise RequestError("order must be asc or desc", param="order")
        stored = self._get(tenant, response_id)
        before = self._chain(tenant, stored.previous) if stored.previous else []
        stem = response_id.removeprefix("resp_")
        rows = [_shown(item, f"item_{stem}_{at}") for at, item in enumerate([*(before or ()), *stored.added])]
        if order == "desc":
            rows.reverse()
        if after:
            at = next((n for n, row in enumerate(rows) if row["id"] == after), None)
            if at is None:
                raise RequestError(f"after: there is no item {after[:80]!r}", param="after")
            rows = rows[at + 1 :]
        page = rows[:limit]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(rows) > limit,
        }

    # --- continuing ---

    def _chain(self, tenant: str, response_id: str) -> list[Item] | None:
        """Return all items up to and with the answer of `response_id`, None when a link is missing."""
        links: dict[str, _Stored] = {}
        while response_id:
            stored = self._find(tenant, response_id)
            if stored is None or response_id in links:
                return None
            links[response_id] = stored
            response_id = stored.previous
        return [item for stored in reversed(links.values()) for item in (*stored.added, *replayable(stored.output))]

    def history(self, tenant: str, response_id: str) -> list[Item]:
        """Return the conversation up to and with a response.

        Raises RequestError (400, `previous_response_not_found`) when it, or a response before it, is not there or not finished.
        """
        found = self._chain(tenant, response_id)
        if found is None or self._get(tenant, response_id).response.get("status") in (
            "queued",
            "in_progress",
            "failed",
        ):
            raise not_found(response_id)
        self._touch(self._tenants[tenant], response_id)
        return found

    def expand(self, tenant: str, body: dict[str, Any]) -> Expanded:
        """Return the request with `previous_response_id` and item references resolved. `body` is decoded JSON.

        Raises RequestError for an id that this tenant has not, or for a reference to an unknown item.
        """
        previous = body.get("previous_response_id")
        if previous is not None and not isinstance(previous, str):
            raise RequestError("previous_response_id must be a string", param="previous_response_id")
        given = as_items(body.get("input"))
        added = [self._dereferenced(tenant, item) for item in given]
        before = self.history(tenant, previous) if previous else []
        changes: dict[str, bytes | None] = {}
        if previous or added != given:
            changes["input"] = msgspec.json.encode([*before, *added])
        if "previous_response_id" in body:
            changes["previous_response_id"] = None
        return Expanded(previous_id=previous or "", added=added, items=[*before, *added], changes=changes)

    def _dereferenced(self, tenant: str, item: Item) -> Item:
        if item.get("type") != "item_reference":
            return item
        space, wanted = self._tenants.get(tenant), str(item.get("id") or "")
        stored = self._find(tenant, space.items.get(wanted, "")) if space is not None else None
        for found in (*stored.added, *stored.output) if stored is not None else ():
            if found.get("id") == wanted:
                return found
        raise RequestError(f"Item with id '{wanted[:80]}' not found.", code="item_not_found", param="input")


def _shown(item: Item, name: str) -> Item:
    """Return an input item as lists show it: with an id (`name` when it has none) and, for a message, parts and a status."""
    row = item if isinstance(item.get("id"), str) else item | {"id": name}
    if row.get("type", "message") != "message" or "role" not in row:
        return row
    content = row.get("content")
    if isinstance(content, str):
        said: Item = {"type": "input_text", "text": content}
        if row["role"] == "assistant":
            said = {"type": "output_text", "text": content, "annotations": [], "logprobs": []}
        content = [said]
    return {"type": "message", "status": "completed"} | row | {"content": content}


def not_found(response_id: str) -> RequestError:
    """Return the error for a response that cannot be continued."""
    return RequestError(
        f"Previous response with id '{response_id[:80]}' not found.",
        code="previous_response_not_found",
        param="previous_response_id",
        hint="send the whole conversation as input",
    )


def as_items(value: Any) -> list[Item]:
    """Return `input` as a list of items. Raises RequestError when it is neither a text nor a list of objects."""
    if value is None:
        return []
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise RequestError("input must be a string or an array of objects", param="input")


def replayable(output: list[Item]) -> list[Item]:
    """Return output items as input: reasoning without its state means nothing to anybody and is left out."""
    return [item for item in output if item.get("type") != "reasoning" or item.get("encrypted_content")]
