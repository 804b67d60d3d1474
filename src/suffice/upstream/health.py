"""Which endpoints may be used now: cooldowns and circuit breakers per (endpoint, model), credential, host and vendor.

It decides nothing about models and sends nothing. Everything is in memory, O(1) per call, bounded. Invariants: what is cooling
is never `available`; a half-open circuit admits one probe at a time; when everything is cooling, `soonest` still names one
endpoint to probe, so that no outage of ours outlives that of the providers (row 41).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from suffice.upstream.circuit import Circuit
from suffice.upstream.fault_matrix import Cools
from suffice.upstream.faults import Fault
from suffice.values.env import Env

SPREAD_CREDENTIALS = 3
SPREAD_WINDOW_S = 60.0
PANIC_SPACING_S = 1.0
DISABLED_SPACING_S = 300.0
WEIGHT = 0.1
SCOPES = (Cools.ENDPOINT_MODEL, Cools.CREDENTIAL, Cools.HOST, Cools.VENDOR)

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an endpoint depends on."""

    vendor: str
    host: str
    credential: str


@dataclass(slots=True, kw_only=True)
class Quality:
    """Moving averages of one (endpoint, model): weight 0.1 for the newest. None until first seen; times in seconds."""

    errors: float = 0.0
    ttft_s: float | None = None
    tokens_per_s: float | None = None
    outcomes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Soonest:
    """The endpoint that may be asked first, and in how many seconds by its own cooldown."""

    endpoint: str
    model: str
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuits:
    """One line of a report: what is resting, why, and for how many seconds yet."""

    scope: str
    name: str
    model: str
    state: str
    cause: str
    row: int
    wait_s: float


class Health:
    """The health of all endpoints. `capacity` bounds circuits and averages each."""

    def __init__(self, env: Env, *, capacity: int = 4096) -> None:
        self._env = env
        self._capacity = capacity
        self._places: dict[str, Place] = {}
        self._circuits: dict[Key, Circuit] = {}
        self._quality: dict[tuple[str, str], Quality] = {}
        self._panic_at: dict[tuple[str, str], float] = {}
        self._spread: dict[str, dict[str, float]] = {}
        self._keys: dict[tuple[str, str], tuple[Key, ...]] = {}

    def register(self, endpoint: str, *, vendor: str, host: str, credential: str) -> None:
        """Say what `endpoint` depends on. `credential` is a name or a digest, never the secret; a new one starts enabled."""
        old, new = self._places.get(endpoint), Place(vendor=vendor, host=host, credential=credential)
        if old == new:
            return
        self._keys.clear()
        self._places[endpoint] = new
        if old is not None:
            self._forget_unused(old)

    @property
    def endpoints(self) -> frozenset[str]:
        """The endpoints that are registered."""
        return frozenset(self._places)

    def forget(self, endpoint: str) -> None:
        """Forget an endpoint that is configured no more."""
        place = self._places.pop(endpoint, None)
        self._keys.clear()
        for key in [k for k in self._circuits if k[0] == Cools.ENDPOINT_MODEL and k[1] == endpoint]:
            del self._circuits[key]
        for table in (self._quality, self._panic_at):
            for pair in [p for p in table if p[0] == endpoint]:
                del table[pair]
        if place is not None:
            self._forget_unused(place)

    def _forget_unused(self, old: Place) -> None:
        """Forget what rests of a credential, host or vendor that no endpoint depends on any more."""
        used = self._places.values()
        if all(place.credential != old.credential for place in used):
            self._circuits.pop((Cools.CREDENTIAL.value, old.credential, ""), None)
            self._spread.get(old.vendor, {}).pop(old.credential, None)
        if all(place.host != old.host for place in used):
            self._circuits.pop((Cools.HOST.value, old.host, ""), None)
        if all(place.vendor != old.vendor for place in used):
            self._circuits.pop((Cools.VENDOR.value, old.vendor, ""), None)
            self._spread.pop(old.vendor, None)

    def credential_changed(self, credential: str) -> None:
        """Enable a credential again, because the operator has mended it."""
        self._circuits.pop((Cools.CREDENTIAL.value, credential, ""), None)

    def available(self, endpoint: str, model: str) -> bool:
        """Tell whether a request may be sent there now."""
        circuits = self._circuits
        if not circuits:
            return True
        # A plain loop: this is asked for every candidate of every request.
        for key in self._keys.get((endpoint, model)) or self._keys_of(endpoint, model):
            circuit = circuits.get(key)
            if circuit is not None and circuit.is_open and not circuit.available(self._env.monotonic()):
                return False
        return True

    def healthy(self, endpoint: str, model: str) -> bool:
        """Tell whether nothing went wrong there in its last ten outcomes, and nothing around it is resting."""
        return all(not c.is_open and not c.outcomes for _, c in self._around(endpoint, model))

    def reason(self, endpoint: str, model: str) -> str:
        """Say why an endpoint is not available, `""` when it is."""
        now = self._env.monotonic()
        for key, circuit in self._around(endpoint, model):
            if not circuit.available(now):
                if circuit.disabled:
                    return f"{key[0]} disabled until changed: {circuit.cause}"
                return f"{key[0]} cooling {circuit.wait_s(now):.0f} s: {circuit.cause}"
        return ""

    def admit(self, endpoint: str, model: str, *, panic: bool = False) -> bool:
        """Take the right to send one request; False when it may not be sent.

        On a half-open circuit the request is the probe: report `failed`, `succeeded` or `abandoned` for it. With `panic`
        (nothing else is left) a cooling circuit is probed before its time, at most once a second, a disabled credential
        once in five minutes.
        """
        now = self._env.monotonic()
        around = self._around(endpoint, model)
        if not all(circuit.available(now) for _, circuit in around):
            if not panic or any(circuit.probe_until > now for _, circuit in around):
                return False
            spacing = DISABLED_SPACING_S if any(c.disabled for _, c in around) else PANIC_SPACING_S
            if now - self._panic_at.get((endpoint, model), -DISABLED_SPACING_S) < spacing:
                return False
            self._panic_at[endpoint, model] = now
            self._trim(self._panic_at)
        for _, circuit in around:
            circuit.begin(now)
        return True

    def abandoned(self, endpoint: str, model: str) -> None:
        """The request admitted ended without a verdict (the caller left)."""
        for _, circuit in self._around(endpoint, model):
            circuit.abandon()

    def succeeded(
        self, endpoint: str, model: str, *, ttft_s: float | None = None, tokens_per_s: float | None = None
    ) -> None:
        """Note a complete answer, with its time to the first token and its speed when they are known."""
        now = self._env.monotonic()
        for _, circuit in self._around(endpoint, model):
            circuit.succeed(now)
        quality = self._score(endpoint, model, 0.0)
        if ttft_s is not None:
            quality.ttft_s = _average(quality.ttft_s, ttft_s)
        if tokens_per_s is not None:
            quality.tokens_per_s = _average(quality.tokens_per_s, tokens_per_s)
        self._panic_at.pop((endpoint, model), None)

    def failed(self, endpoint: str, model: str, fault: Fault) -> None:
        """Note a failed attempt: what the fault cools rests from now on."""
        now, place = self._env.monotonic(), self._place(endpoint)
        row = fault.matrix
        if row.scores or row.cools:
            self._score(endpoint, model, 1.0 if row.scores else 0.0)
        cooled: Key | None = None
        if row.cools is not Cools.NOTHING:
            cooled = _key(row.cools, endpoint, model, place)
            self._circuit(cooled).fail(fault, now)
        if row.spreads and self._widespread(place, now):
            self._circuit(_key(Cools.VENDOR, endpoint, model, place)).fail(fault, now)
        for key, circuit in self._around(endpoint, model):
            # A probe that met a fault of another scope says nothing about this circuit: release it.
            if key != cooled:
                circuit.abandon()

    def soonest(self, candidates: Iterable[tuple[str, str]]) -> Soonest | None:
        """Return the candidate (endpoint, model) that may be asked first; None only when there are none."""
        now, best = self._env.monotonic(), None
        for endpoint, model in candidates:
            circuits = [c for _, c in self._around(endpoint, model)]
            wait = max((c.wait_s(now) for c in circuits), default=0.0)
            rank = (any(c.disabled for c in circuits), wait)
            if best is None or rank < best[0]:
                best = (rank, Soonest(endpoint=endpoint, model=model, wait_s=wait))
        return best[1] if best else None

    def quality(self, endpoint: str, model: str) -> Quality:
        """Return the moving averages; all-new when nothing was seen."""
        return self._quality.get((endpoint, model)) or Quality()

    def resting(self) -> list[Circuits]:
        """Return every circuit that is not closed, for reports and metrics."""
        now, out = self._env.monotonic(), []
        for (scope, name, model), c in self._circuits.items():
            if c.is_open:
                state = "disabled" if c.disabled else "half-open" if now >= c.open_until else "open"
                wait = c.wait_s(now)
                out.append(
                    Circuits(scope=scope, name=name, model=model, state=state, cause=c.cause, row=c.row, wait_s=wait)
                )
        return out

    def _place(self, endpoint: str) -> Place:
        return self._places.get(endpoint) or Place(vendor=endpoint, host=endpoint, credential=endpoint)

    def _around(self, endpoint: str, model: str) -> list[tuple[Key, Circuit]]:
        if not self._circuits:
            return []
        keys = self._keys.get((endpoint, model)) or self._keys_of(endpoint, model)
        return [(key, circuit) for key in keys if (circuit := self._circuits.get(key)) is not None]

    def _keys_of(self, endpoint: str, model: str) -> tuple[Key, ...]:
        place = self._place(endpoint)
        keys = self._keys[endpoint, model] = tuple(_key(scope, endpoint, model, place) for scope in SCOPES)
        self._trim(self._keys)
        return keys

    def _circuit(self, key: Key) -> Circuit:
        circuit = self._circuits.pop(key, None) or Circuit()
        self._circuits[key] = circuit
        if len(self._circuits) > self._capacity:
            # The least recently failed goes first; a closed one if there is one near the front.
            front = next((k for k, c in self._circuits.items() if not c.is_open), next(iter(self._circuits)))
            del self._circuits[front]
        return circuit

    def _score(self, endpoint: str, model: str, failed: float) -> Quality:
        quality = self._quality.get((endpoint, model))
        if quality is None:
            quality = self._quality[endpoint, model] = Quality()
            self._trim(self._quality)
        quality.errors = _average(quality.errors if quality.outcomes else None, failed)
        quality.outcomes += 1
        return quality

    def _widespread(self, place: Place, now: float) -> bool:
        seen = self._spread.setdefault(place.vendor, {})
        seen[place.credential] = now
        for name in [n for n, at in seen.items() if now - at > SPREAD_WINDOW_S]:
            del seen[name]
        self._trim(self._spread)
        return len(seen) >= SPREAD_CREDENTIALS

    def _trim(self, table: dict[Any, Any]) -> None:
        if len(table) > self._capacity:
            del table[next(iter(table))]


def _key(scope: Cools, endpoint: str, model: str, place: Place) -> Key:
    # Plain text in the keys: hashing a member of an enumeration is slow.
    if scope is Cools.ENDPOINT_MODEL:
        return (scope.value, endpoint, model)
    names = {Cools.CREDENTIAL: place.credential, Cools.HOST: place.host, Cools.VENDOR: place.vendor}
    return (scope.value, names[scope], "")


def _average(old: float | None, new: float) -> float:
    return new if old is None else old + WEIGHT * (new - old)
