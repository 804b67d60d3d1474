"""From an arm of the plan to a concrete route: endpoint, path, provider's name of the model, price, bound.

The bound is what is reserved before an attempt is sent: the largest plausible cost, sharp while a budget is far from its limit,
strict (bytes as tokens, the output clamped) when it is near.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from suffice.decision.attempt_price import output_tokens
from suffice.decision.cascade import Move
from suffice.errors import BudgetError, DecisionError, RequestError
from suffice.gateway.chat_fitting import fitted
from suffice.gateway.cloud_conversation import CLOUDS, PassThroughCloud
from suffice.gateway.conversation import Conversation, PassThroughChat, PassThroughEmbeddings, Target
from suffice.gateway.corrections import TokenCorrections
from suffice.gateway.evidence import told
from suffice.gateway.exchange import GeminiExchange, exchange_of, sealed
from suffice.gateway.fim import FimExchange
from suffice.gateway.fim import conversation as filled_in
from suffice.gateway.fleet import Served
from suffice.gateway.gemini_conversation import PassThroughGemini
from suffice.gateway.handing_over import handed
from suffice.gateway.issuers import Issuers, foreign
from suffice.gateway.live import Route
from suffice.gateway.messages_conversation import PassThroughMessages
from suffice.gateway.responses import PassThroughResponses, ResponsesExchange
from suffice.gateway.settlement import bill, tokens_of
from suffice.gateway.speech import PASSED_ON
from suffice.gateway.translation import PROVIDERS, ReasoningShelf, Translation, target_of, with_word
from suffice.gateway.turn import Turn
from suffice.values.env import Env
from suffice.values.money import Price, Rates, Unknown
from suffice.values.plan import Action, Arm
from suffice.values.usage import Usage
from suffice.wire.chat_fit import AS_IT_IS

# Prompt bytes per token at the dense end of real requests; the reservation uses it while no budget is near its limit.
DENSE_BYTES_PER_TOKEN = 2.5
OUTPUT_UPPER_TAIL = 16_384
SMALLEST_CLAMP = 256
MAX_NAMESPACES = 10_000
MOST_ANSWERS = 128


class Expected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a stream is expected to cost, for headers that leave before it is known; -1 when unknown."""

    cost_nano: int
    reference_nano: int


class RouteTable:
    """Makes routes. `secret` keys the namespaces under which cache keys of tenants leave this house."""

    def __init__(
        self,
        env: Env,
        secret: bytes,
        corrections: TokenCorrections | None = None,
        issuers: Issuers | None = None,
    ) -> None:
        self._env = env
        self._issuers = Issuers() if issuers is None else issuers
        self._corrections = corrections or TokenCorrections()
        self._secret = secret
        self._namespaces: dict[str, bytes] = {}
        self._pass_through = PassThroughChat()
        self._embeddings = PassThroughEmbeddings()
        self._shelf = ReasoningShelf()

    def make(self, turn: Turn, arm: Arm, evidence: str = "", draft: str = "") -> Route:
        """Return the route of `arm`, told `evidence` of the attempt before it, or given another model's `draft` with it.

        Raises BudgetError when not even a short answer fits the budget.
        """
        served = turn.fleet.by_arm.get(arm.fresh)
        if served is None:
            raise DecisionError(f"{arm.name} is not served by any endpoint")
        price = self.price(turn, arm.model)
        clamp, bound = self._bound(turn, price, served.model.max_output)
        speech = served.speech[turn.operation]
        target = Target(
            model_name=served.model.name,
            path=speech.stream_path if turn.view.stream else speech.path,
            quirks=served.provider.quirks,
            max_output_tokens=clamp,
            namespace=self._namespace(turn),
            evidence=evidence,
            draft=draft,
        )
        return Route(
            arm=arm,
            endpoint=speech.endpoint,
            model=served.model,
            target=target,
            conversation=self._conversation(turn, served, speech.dialect, target),
            price=price,
            reference=price if arm.model == turn.fleet.reference else self.reference(turn),
            bound_nano=bound + _telling(price, evidence + draft),
            dialect=speech.dialect,
            prompt_tokens=self._corrections.by_size(arm.model, turn.features.prompt_tokens)
            + tokens_of(len(draft.encode())),
            states_bill=served.provider.usage.cost_is_bill,
        )

    def price(self, turn: Turn, model: str) -> Price:
        """Return the price of `model` now, for a prompt of this size."""
        return turn.fleet.catalog.price(model, self._env.now(), turn.features.prompt_tokens)

    def reference(self, turn: Turn) -> Price | None:
        """Return the price of the reference model, None when there is none."""
        return self.price(turn, turn.fleet.reference) if turn.fleet.reference else None

    def expected(self, turn: Turn, route: Route) -> Expected:
        """Return the expected cost of one answer on `route`."""
        usage = Usage(input_tokens=route.prompt_tokens, output_tokens=output_tokens(turn.features), estimated=True)
        priced = bill(route.price, route.reference, usage)
        cost_nano = -1 if isinstance(route.price, Unknown) else priced.cost_nano
        return Expected(cost_nano=cost_nano, reference_nano=priced.reference_nano)

    def first(self, turn: Turn) -> Route:
        """Return the route of the plan's first arm, which is told of the run before it when it takes one over."""
        turn.handed = handed(turn, self._env.monotonic())
        return self.make(turn, turn.plan.first, turn.handed.brief if turn.handed else "")

    def next(self, turn: Turn, move: Move) -> Route | None:
        """Return the route of a cascade move with the evidence of the last verdicts, None when the budget does not pay."""
        if move.arm is None:
            return None
        try:
            return self.make(turn, move.arm, _evidence(turn, move))
        except (BudgetError, RequestError):
            return None  # neither a step that nobody pays for nor one that cannot be told what was asked

    def _conversation(self, turn: Turn, served: Served, dialect: str, target: Target) -> Conversation:
        operation = turn.operation
        if isinstance(turn.exchange, FimExchange):
            return filled_in(turn.exchange, served, target, turn.top)
        if operation == dialect or (operation == "messages" and dialect in CLOUDS):
            passed = self._passed_on(turn, served, dialect, target)
            if passed is not None:
                return passed
        exchange = turn.exchange
        if exchange is None:
            exchange = turn.exchange = exchange_of(operation, turn.call)
        last = _last(turn)
        owner = last.provider.id if last is not None else ""
        request = exchange.told(self._namespace(turn), owner, self._issuers.of)
        limit, session_key = target.max_output_tokens, turn.session_key
        known = target_of(served.provider, served.model, dialect, limit=limit, session_key=session_key)
        request = with_word(request, target.evidence, target.draft)
        return Translation(exchange, request, PROVIDERS[dialect], known, self._shelf.of(session_key))

    def _passed_on(self, turn: Turn, served: Served, dialect: str, target: Target) -> Conversation | None:
        """Return the pass-through of an operation, None when the body must be written anew all the same."""
        operation, exchange = turn.operation, turn.exchange
        if operation in PASSED_ON:
            return self._embeddings if operation == "embeddings" else self._pass_through
        if isinstance(exchange, ResponsesExchange):
            return PassThroughResponses(
                exchange, served.provider.id, reasons=served.model.has("reasoning") is not False
            )
        # Sealed state is readable to us only, so a body that carries some is never passed on as it is.
        if sealed(operation, turn.call.body):
            return None
        if operation == "chat":
            found = fitted(turn.top, target.quirks, served.model)
            if found is None or (target.evidence and "messages" in found.changes):
                return None
            return self._pass_through if found is AS_IT_IS else PassThroughChat(found)
        provider, last = served.provider.id, _last(turn)
        before = last.provider.id if last is not None else ""
        if foreign(operation, turn.call.body, self._issuers, provider, before):
            return None

        def note(found: Iterable[str]) -> None:
            self._issuers.note(found, provider)

        if isinstance(exchange, GeminiExchange):
            return None if exchange.array else PassThroughGemini(turn.call, note)
        if dialect in CLOUDS:
            return PassThroughCloud(turn.call, CLOUDS[dialect], note)
        return PassThroughMessages(turn.call, note)

    def _namespace(self, turn: Turn) -> bytes:
        tenant = turn.principal.tenant
        if not turn.principal.key_id:
            return b""
        known = self._namespaces.get(tenant)
        if known is None:
            known = hmac.new(self._secret, tenant.encode(), hashlib.sha256).hexdigest()[:16].encode()
            if len(self._namespaces) < MAX_NAMESPACES:
                self._namespaces[tenant] = known
        return known

    def _bound(self, turn: Turn, price: Price, model_output: int) -> tuple[int, int]:
        """Return (output clamp or 0, reservation in nano-dollars)."""
        if isinstance(price, Unknown):
            return 0, 0
        bound = self._largest(turn, price.rates, model_output, near=turn.pressure > 0)
        left = turn.remaining_nano
        if left is None or (bound[0] <= left and not turn.pressure):
            return 0, bound[0]
        # Little is left: the bound is strict from here on, and what does not fit is cut or refused.
        return self._clamped(turn, price.rates, *self._largest(turn, price.rates, model_output, near=True))

    def _largest(self, turn: Turn, rates: Rates, model_output: int, *, near: bool) -> tuple[int, int, int]:
        """Return (reservation, its part that does not depend on the output, most output tokens of one answer)."""
        prompt = self._prompt_bound(turn, strict=near)
        asked = turn.view.max_output_tokens
        limits = [asked, model_output, 0 if near else OUTPUT_UPPER_TAIL]
        most = min((limit for limit in limits if limit), default=OUTPUT_UPPER_TAIL)
        if turn.operation == "embeddings":
            most = 0
        dearest = max(rates.input, rates.cache_write, rates.cache_write_1h if rates.cache_write_1h else 0)
        fixed = -(-dearest * prompt // 1000) + rates.per_request_nano
        return fixed + -(-rates.output * most * _answers(turn) // 1000), fixed, most

    def _clamped(self, turn: Turn, rates: Rates, bound: int, fixed: int, most: int) -> tuple[int, int]:
        answers = _answers(turn)
        left = turn.remaining_nano
        if left is None or bound <= left or not rates.output:
            return 0, bound
        affordable = (left - fixed) * 1000 // (rates.output * answers)
        if affordable < min(SMALLEST_CLAMP, most):
            raise BudgetError(
                "the rest of the budget does not pay for an answer of this model",
                hint="a cheaper model or a shorter prompt may fit",
            )
        return affordable, fixed + -(-rates.output * affordable * answers // 1000)

    def _prompt_bound(self, turn: Turn, *, strict: bool) -> int:
        size = max(len(turn.call.body), turn.view.total_bytes)
        if strict:
            return size
        return max(turn.features.prompt_tokens, int(size / DENSE_BYTES_PER_TOKEN))


def _last(turn: Turn) -> Served | None:
    """Return what answered this session last, None for its first turn or when it is no longer served."""
    pinned = turn.session.pinned
    return turn.fleet.by_arm.get(pinned) if pinned is not None else None


def _evidence(turn: Turn, move: Move) -> str:
    """Return what the attempt of `move` is told of the last rejected one, empty when no check rejected any."""
    if turn.view.last_roles[-1:] == ("assistant",):
        return ""  # the client has begun the answer itself: a message behind it would end what is to be continued
    last = next((a for a in reversed(turn.tried) if a.outcome == "rejected"), None)
    said = told(last.verdicts if last is not None else (), same=move.action is Action.RETRY)
    return "\n\n".join(filter(None, (turn.handed.brief if turn.handed else "", said)))


def _telling(price: Price, evidence: str) -> int:
    """Return the most that `evidence` can add to the cost of the prompt: a token for each byte, at the dearest bucket."""
    if not evidence or isinstance(price, Unknown):
        return 0
    rates = price.rates
    return -(-max(rates.input, rates.cache_write, rates.cache_write_1h or 0) * len(evidence.encode()) // 1000)


def _answers(turn: Turn) -> int:
    """Return how many answers the caller asks for (`n`, `best_of`). Raises RequestError for what is no small number.

    The specification allows a `best_of` of 0; whatever a provider makes of it, it is not less than one answer.
    """
    most = 1
    for key, least in (("n", 1), ("best_of", 0)):
        raw = turn.top.value(key)
        if raw is None or raw.strip() == b"null":
            continue
        if not raw.strip().isdigit() or not least <= int(raw[:9]) <= MOST_ANSWERS or len(raw.strip()) > 4:
            raise RequestError(f"{key} must be a number from {least} to {MOST_ANSWERS}", param=key)
        most = max(most, int(raw))
    return most
