"""Tokens of a prompt, asked for without a model's answer: by the provider where it counts for nothing, else estimated.

It spends no money and reserves none. An estimate says nothing about itself in the dialects' bodies; docs/dialects.md has its error.
"""

from __future__ import annotations

from suffice.decision.virtual import resolve
from suffice.errors import NotFoundError, SufficeError
from suffice.gateway import hops
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS, quoted
from suffice.gateway.corrections import TokenCorrections
from suffice.gateway.messages_conversation import version_headers
from suffice.gateway.reading import Reading, model_name
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.wire.prescan import TopLevel
from suffice.wire.tokens import Estimator, family_of

_LIMIT_BYTES = 65_536
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
        """Return the provider's own answer to a count of Messages, None when it has none to give.

        Raises RequestError or NotFoundError for a body that names no model that is known.
        """
        state = self._reading.state
        target = resolve(model_name(top), state.settings.aliases, state.models)
        for model in target.models or ():
            for row in state.fleet.by_model.get(model, ()):
                path, speech = row.paths.get("count_tokens"), row.speech.get("messages")
                if path is None or speech is None or speech.dialect != "messages" or not principal.allows(model):
                    continue
                body = top.splice({"model": quoted(row.model.name)})
                headers = (*JSON_HEADERS, *version_headers(call), hops.onward(call.headers))
                try:
                    answer = await self._transport.request(speech.endpoint, b"POST", path, headers, body, _DEADLINES)
                    told = await answer.read(_LIMIT_BYTES, 10.0)
                except (TransportFault, SufficeError):
                    continue
                answer.close()
                if answer.status == 200 and b'"input_tokens"' in told:
                    return told
        return None
