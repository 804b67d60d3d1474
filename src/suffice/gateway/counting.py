"""Tokens of a prompt, asked for without a model's answer: by the provider where it counts for nothing, else estimated.

It spends no money and reserves none. An estimate says nothing about itself in the dialects' bodies; docs/dialects.md has its error.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from suffice.decision.policy import PolicyContext, mask_reason
from suffice.decision.virtual import resolve
from suffice.errors import NotFoundError, RequestError, SufficeError, WireError
from suffice.gateway import hops
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS, Header, quoted
from suffice.gateway.corrections import TokenCorrections
from suffice.gateway.fleet import Served
from suffice.gateway.messages_conversation import version_headers
from suffice.gateway.reading import Reading, model_name
from suffice.gateway.translation import target_of
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.endpoints import Endpoint
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.task import Features, TaskType
from suffice.wire import anthropic_messages, bedrock_count, gemini
from suffice.wire.cloud_messages import VERSIONS
from suffice.wire.messages_client import count_tokens_body
from suffice.wire.neutral import Request
from suffice.wire.prescan import TopLevel
from suffice.wire.tokens import Estimator, family_of

_LIMIT_BYTES = 65_536
_ANY = Features(task=TaskType.OTHER)
# Under which name of the catalogue a provider of a dialect counts Messages.
_PATHS = {"messages": "count_tokens", "vertex-messages": "messages_count"}
_DEADLINES = Deadlines(connect_s=5.0, head_s=10.0, first_byte_s=10.0, between_s=10.0, total_s=15.0)


class Counting:
    """Counts prompts."""

    def __init__(self, reading: Reading, transport: Transport, corrections: TokenCorrections) -> None:
        self._reading = reading
        self._corrections = corrections
        self._transport = transport
        self._estimator = Estimator()

    def estimate(self, data: bytes, model: str) -> int:
        """Return the estimated tokens of UTF-8 `data` for `model`."""
        return self._estimator.estimate(data, family_of(model))

    def of_messages(self, call: Call, top: TopLevel) -> int:
        """Return the estimated tokens of a Messages body."""
        return self.of_body(call.body, model_name(top))

    def of_body(self, body: bytes, name: str) -> int:
        """Return the estimated tokens of a conversation's body for what `name` means, corrected by what was counted before."""
        state = self._reading.state
        try:
            models = resolve(name, state.settings.aliases, state.models).models or (name,)
        except NotFoundError:
            models = (name,)
        return self._corrections.of_body(models[0], self.estimate(body, models[0]))

    async def asked_upstream(self, call: Call, principal: Principal, top: TopLevel) -> bytes | None:
        """Return the answer to a count of Messages as the model's own provider gives it, None when it has none to give.

        Raises RequestError or NotFoundError for a body that names no model that is known.
        """
        for row in self._rows(principal, model_name(top)):
            speech = row.speech.get("messages")
            dialect = speech.dialect if speech is not None else ""
            if dialect == "gemini":
                count = await self._of_gemini(call, row, anthropic_messages.CODEC.decode_request(call.body))
                if count is not None:
                    return count_tokens_body(count)
                continue
            if dialect == "bedrock-messages":
                count = await self._of_bedrock(call, row)
                if count is not None:
                    return count_tokens_body(count)
                continue
            path, changes = row.paths.get(_PATHS.get(dialect, "")), {"model": quoted(row.model.name)}
            if path is None or speech is None:
                continue
            if dialect == "vertex-messages":
                changes["anthropic_version"] = quoted(VERSIONS["vertex"])
            body, headers = top.splice({**changes}), [*JSON_HEADERS, *version_headers(call)]
            told = await self._told(call, speech.endpoint, path, headers, body)
            if told is not None and b'"input_tokens"' in told:
                return told
        return None

    async def of_gemini(self, call: Call, principal: Principal, name: str) -> int | None:
        """Return the count of a countTokens body as the model's own provider gives it, None when it has none to give.

        Raises RequestError or NotFoundError for a body or a name that cannot be read.
        """
        request = gemini.decode_count_request(call.body)
        for row in self._rows(principal, name):
            count = await self._of_gemini(call, row, request)
            if count is not None:
                return count
        return None

    def _rows(self, principal: Principal, name: str) -> Iterator[Served]:
        """Yield where what `name` means is served; a prompt goes only where a request with it may go."""
        state = self._reading.state
        for model in resolve(name, state.settings.aliases, state.models).models or ():
            context = PolicyContext(features=_ANY, data=state.data, pinned=model)
            for row in state.fleet.by_model.get(model, ()) if principal.allows(model) else ():
                if not (state.data.restricted and mask_reason(row.facts, context)):
                    yield row

    async def _of_gemini(self, call: Call, row: Served, request: Request) -> int | None:
        speech, path = row.speech.get("gemini"), row.paths.get("count_tokens")
        if speech is None or speech.dialect != "gemini" or path is None:
            return None
        target = target_of(row.provider, row.model, "gemini", limit=0, session_key="")
        # Vertex takes the parts of a request beside each other, the other interface a whole one.
        try:
            body = gemini.encode_count_request(request, target, whole=b"/publishers/" not in path)
        except RequestError:
            return None
        path = path.replace(b"{model}", quote(row.model.name, safe="-._~:@").encode())
        told = await self._told(call, speech.endpoint, path, [*JSON_HEADERS], [body])
        try:
            return None if told is None else gemini.decode_count_response(told)
        except WireError:
            return None

    async def _of_bedrock(self, call: Call, row: Served) -> int | None:
        speech, path = row.speech.get("messages"), row.paths.get("messages_count")
        if speech is None or path is None:
            return None
        betas = tuple(b.strip() for b in call.header("anthropic-beta").split(",") if b.strip())
        body = bedrock_count.encode_request(call.body, betas)
        for name in bedrock_count.names(row.model.name):
            # AWS signs the path as its SDKs write it.
            there = path.replace(b"{model}", quote(name, safe="-._~").encode())
            told = await self._told(call, speech.endpoint, there, [*JSON_HEADERS], [body])
            try:
                if told is not None:
                    return bedrock_count.decode_response(told)
            except WireError:
                return None
        return None

    async def _told(
        self, call: Call, endpoint: Endpoint, path: bytes, headers: list[Header], body: list[bytes]
    ) -> bytes | None:
        """Return the provider's answer, None when it is none or no good one: an estimate stands in then."""
        headers.append(hops.onward(call.headers))
        try:
            answer = await self._transport.request(endpoint, b"POST", path, headers, body, _DEADLINES)
            told = await answer.read(_LIMIT_BYTES, 10.0)
        except (TransportFault, SufficeError):
            return None
        answer.close()
        return told if answer.status == 200 else None
