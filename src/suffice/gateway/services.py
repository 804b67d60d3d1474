"""Services beside conversations, pinned to one provider: which endpoint serves a call, and one exchange with it.

Nothing is routed here: the model's prefix, the header `x-suffice-endpoint` or the first endpoint that offers the service decides.
What costs money is reserved before it is sent and settled exactly once; an unknown price stays unknown, and a key with a budget is
refused then.
"""

from __future__ import annotations

from dataclasses import dataclass

from suffice.catalog.providers import Provider
from suffice.config.schema import UpstreamSettings
from suffice.decision.policy import PolicyContext, mask_reason
from suffice.errors import BudgetError, ForbiddenError, NotFoundError, RequestError, SufficeError
from suffice.gateway import hops
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.headers import UNKNOWN, clean, dollars
from suffice.gateway.reading import Reading
from suffice.gateway.reply import Header
from suffice.gateway.settlement import Timed, bill, result
from suffice.gateway.speech import Speech
from suffice.gateway.state import State
from suffice.ledger.book import Ledger, Reservation
from suffice.ledger.records import AttemptIntent, ChargeClass, DecisionRecord, PriceKind
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.faults import Fault, classify, classify_transport
from suffice.upstream.response import Response
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.env import Env
from suffice.values.money import Estimated, Known, NanoUsd, Price, Unknown
from suffice.values.task import Features, TaskType
from suffice.values.usage import Usage

HEADER = "x-suffice-endpoint"
_ERROR_BYTES = 65_536
_ANY = Features(task=TaskType.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """Where a call goes. `model` is the provider's name of the model, "" when the call names none."""

    endpoint: str
    provider: Provider
    speech: Speech
    model: str = ""

    @property
    def model_id(self) -> str:
        """The catalogue's id of the model, "" without one."""
        return f"{self.provider.id}/{self.model}" if self.model else ""


def deadlines_of(up: UpstreamSettings) -> Deadlines:
    """Return the deadlines of one attempt as the settings say."""
    return Deadlines(
        connect_s=up.connect_deadline_s,
        head_s=min(up.whole_answer_deadline_s, up.total_deadline_s),
        first_byte_s=up.first_event_deadline_s,
        between_s=up.between_events_deadline_s,
        total_s=up.total_deadline_s,
    )


class Services:
    """Chooses and asks. Shared by all routes of services; holds no state of a call."""

    def __init__(self, *, env: Env, reading: Reading, transport: Transport, ledger: Ledger) -> None:
        self.env = env
        self.ledger = ledger
        self._reading = reading
        self._transport = transport

    @property
    def state(self) -> State:
        """The configuration of this moment."""
        return self._reading.state

    # --- where ---

    def offering(self, service: str, *, dialect: str = "") -> dict[str, Pinned]:
        """Return the endpoints that offer `service`, in the order of the configuration; `dialect` limits them to its speakers."""
        fleet = self.state.fleet
        found = {}
        for name, table in fleet.services.items():
            provider = fleet.catalog.provider(fleet.endpoints[name].provider)
            speaks = provider is not None and (provider.error_shape == "anthropic") == (dialect == "messages")
            if service in table and provider is not None and (speaks or service not in ("files", "uploads", "batches")):
                found[name] = Pinned(endpoint=name, provider=provider, speech=table[service])
        return found

    def pick(self, call: Call, service: str, model: str = "", *, dialect: str = "") -> Pinned:
        """Return where a call goes. Raises RequestError (400) when nobody offers the service, or not the one that was named."""
        offering = self.offering(service, dialect=dialect)
        if not offering:
            raise RequestError(f"no configured endpoint offers {service}", code="operation_not_served")
        offering = self._private_enough(service, offering)
        prefix, slash, rest = model.partition("/")
        wanted = call.header(HEADER)
        named = wanted or (prefix if slash else "")
        found = next((p for n, p in offering.items() if named and named in (n, p.provider.id)), None)
        if found is None and wanted:
            raise RequestError(
                f"no endpoint {wanted[:100]!r} offers {service}",
                hint=f"one of {', '.join(offering)}",
                code="operation_not_served",
                param=HEADER,
            )
        if found is None:
            rows = self.state.fleet.find(model) if model else ()
            served = next((row for row in rows if row.arm.endpoint in offering), None)
            found = offering[served.arm.endpoint] if served is not None else next(iter(offering.values()))
        name = rest if slash and prefix in (found.endpoint, found.provider.id) else model
        return Pinned(endpoint=found.endpoint, provider=found.provider, speech=found.speech, model=name)

    def _private_enough(self, service: str, offering: dict[str, Pinned]) -> dict[str, Pinned]:
        """Return those that may see this gateway's data. Raises ForbiddenError (403) when none may."""
        state = self.state
        if not state.data.restricted:
            return offering
        reasons: dict[str, str] = {}
        for name in offering:
            row = next((row for row in state.fleet.served if row.arm.endpoint == name), None)
            # Of an endpoint that serves no model nothing is known.
            reasons[name] = "nothing is known of it"
            if row is not None:
                context = PolicyContext(features=_ANY, data=state.data, pinned=row.arm.model)
                reasons[name] = mask_reason(row.facts, context)
        kept = {name: pinned for name, pinned in offering.items() if not reasons[name]}
        if not kept:
            why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
            raise ForbiddenError(
                f"no endpoint that offers {service} may see this data: {why}"[:1000], code="data_forbidden"
            )
        return kept

    def served(self, pinned: Pinned, name: str) -> None:
        """Raise NotFoundError (404) for a model that the endpoint does not serve by this configuration."""
        fleet = self.state.fleet
        rows = (*fleet.find(f"{pinned.provider.id}/{name}"), *fleet.find(name))
        if not any(row.arm.endpoint == pinned.endpoint for row in rows):
            raise NotFoundError(
                f"{name[:200]!r} is not served at {pinned.endpoint}", code="model_not_found", param="model"
            )

    def permit(self, principal: Principal, model_id: str) -> None:
        """Raise ForbiddenError (403) when the key does not allow the model."""
        if model_id and not principal.allows(model_id):
            raise ForbiddenError(
                f"this key does not allow {model_id}", hint="ask for a key that does", code="model_forbidden"
            )

    # --- asking ---

    async def ask(
        self, call: Call, pinned: Pinned, method: bytes, path: bytes, headers: list[Header], body: list[bytes]
    ) -> Response:
        """Send one request and return its good answer, unread. Raises SufficeError for a fault; nothing is tried twice."""
        response, fault = await self._sent(call, pinned, method, path, headers, body)
        if fault is not None or response is None:
            assert fault is not None
            raise fault.error(dialect=call.dialect)
        return response

    async def _sent(
        self, call: Call, pinned: Pinned, method: bytes, path: bytes, headers: list[Header], body: list[bytes]
    ) -> tuple[Response | None, Fault | None]:
        patience = deadlines_of(self.state.settings.upstream)
        headers = [*headers, hops.onward(call.headers)]
        try:
            response = await self._transport.request(pinned.speech.endpoint, method, path, headers, body, patience)
            if response.status < 300:
                return response, None
            told = await response.read(_ERROR_BYTES, patience.between_s)
            response.close()
            return None, classify(response.status, response.headers, told, pinned.speech.dialect, now_s=self.env.now())
        except TransportFault as fault:
            return None, classify_transport(fault)

    async def read(self, call: Call, response: Response, limit: int) -> bytes:
        """Return the whole body of an answer. Raises SufficeError."""
        try:
            return await response.read(limit, self.state.settings.upstream.between_events_deadline_s)
        except TransportFault as fault:
            raise classify_transport(fault).error(dialect=call.dialect) from fault
        finally:
            response.close()

    # --- money ---

    def price(self, model_id: str, tokens: int = 0) -> Price:
        """Return the price of a model now."""
        return self.state.fleet.catalog.price(model_id, self.env.now(), tokens)

    async def reserve(
        self, call: Call, principal: Principal, pinned: Pinned, price: Price, bound_nano: int, service: str
    ) -> Reservation:
        """Reserve and note why it goes where it goes. Raises BudgetError (402), LedgerError (503)."""
        if isinstance(price, Unknown) and principal.budgets:
            raise BudgetError(
                f"the price of {pinned.model_id or service} is not known, so no budget can pay for it",
                hint="set it under [models], or use a key without a budget",
                code="price_unknown",
            )
        intent = AttemptIntent(
            owner=principal.owner,
            team=principal.team,
            model_requested=pinned.model_id,
            model=pinned.model_id,
            endpoint=pinned.endpoint,
            client_dialect=call.dialect,
            upstream_dialect=service,
            price_kind=kind_of(price),
            price_version=price.version,
        )
        reservation = await self.ledger.admit(
            call.request_id, 1, principal.key_id, principal.budgets, NanoUsd(bound_nano), intent
        )
        decided = DecisionRecord(
            request_id=call.request_id,
            at_ms=int(call.received_s * 1000),
            key_id=principal.key_id,
            owner=principal.owner,
            team=principal.team,
            model_requested=pinned.model_id,
            signals=(f"service:{service}",),
            note=f"pinned to {pinned.endpoint}",
        )
        self.ledger.decide(decided)
        return reservation

    async def paid(
        self, call: Call, pinned: Pinned, reservation: Reservation, headers: list[Header], body: list[bytes], limit: int
    ) -> bytes:
        """Send what was reserved for and return the answer; a fault or a cancellation ends the reservation here.

        Raises SufficeError. After a return the caller settles.
        """
        try:
            response, fault = await self._sent(call, pinned, b"POST", pinned.speech.path, headers, body)
            if fault is not None or response is None:
                assert fault is not None
                self.fail(reservation, ChargeClass(fault.charge), fault)
                raise fault.error(dialect=call.dialect)
            return await self.read(call, response, limit)
        except SufficeError:
            self.fail(reservation, ChargeClass.UNKNOWN)
            raise
        except BaseException:
            self.fail(reservation, ChargeClass.UNKNOWN, outcome="cancelled")
            raise

    def fail(
        self, reservation: Reservation, charge: ChargeClass, fault: Fault | None = None, *, outcome: str = "failed"
    ) -> None:
        """End a reservation whose answer did not come; a repeat changes nothing. What may be billed is charged whole."""
        priced = bill(Unknown(why="", version=""), None, Usage())
        free = charge is ChargeClass.NONE
        booked = result(
            priced,
            Usage(),
            Timed(),
            outcome=outcome,
            charge_class=ChargeClass.NONE if free else ChargeClass.UNKNOWN,
            fault_row=fault.row if fault else 0,
            fault_code=fault.code if fault else "",
            message=fault.message if fault else "",
            charge_nano=0 if free else reservation.amount,
        )
        if free:
            self.ledger.release(reservation, booked)
        else:
            self.ledger.settle(reservation, booked)

    def settle(self, reservation: Reservation, price: Price, usage: Usage, *, exact: bool, extra_nano: int = 0) -> int:
        """Charge what an answer cost and return it in nano-dollars, -1 when the price is unknown."""
        priced = bill(price, None, usage)
        charge = ChargeClass.EXACT if exact else ChargeClass.ESTIMATED
        if isinstance(price, Unknown):
            charge = ChargeClass.UNKNOWN
        cost = priced.cost_nano + extra_nano
        timed = Timed()
        booked = result(priced, usage, timed, outcome="ok", charge_class=charge, status=200, charge_nano=cost)
        self.ledger.settle(reservation, booked)
        return -1 if isinstance(price, Unknown) else cost


def named(services: Services, principal: Principal, pinned: Pinned, model: str) -> str:
    """Return the provider's name of a model of a batch. Raises ForbiddenError, NotFoundError for one that is not to be had."""
    prefix, slash, rest = model.partition("/")
    name = rest if slash and prefix in (pinned.endpoint, pinned.provider.id) else model
    services.permit(principal, f"{pinned.provider.id}/{name}")
    services.served(pinned, name)
    return name


def kind_of(price: Price) -> PriceKind:
    """Return how well a price is known, in the ledger's words."""
    if isinstance(price, Known):
        return "known"
    return "estimated" if isinstance(price, Estimated) else "unknown"


def told(pinned: Pinned, call: Call, cost_nano: int | None = None, *, exact: bool = True) -> list[Header]:
    """Return the `x-suffice-*` headers of a service's answer; a cost of -1 is unknown, None says nothing of money."""
    headers: list[Header] = [
        (b"x-suffice-request-id", call.request_id.encode()),
        (b"x-suffice-endpoint", clean(pinned.endpoint)),
    ]
    if pinned.model:
        headers.append((b"x-suffice-model", clean(pinned.model_id)))
    if cost_nano is not None:
        name = b"x-suffice-cost-usd" if exact else b"x-suffice-cost-estimate-usd"
        headers.append((name, UNKNOWN if cost_nano < 0 else dollars(cost_nano)))
    return headers
