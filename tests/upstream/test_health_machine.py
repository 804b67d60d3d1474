"""Health under any order of events, against a model of a few lines."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.upstream.fake_env import FakeEnv

from suffice.upstream.faults import Fault, classify, classify_transport
from suffice.upstream.health import PANIC_SPACING_S, Health
from suffice.upstream.transport_fault import TransportFault

ENDPOINTS = ("a", "b", "c")
MODELS = ("m", "n")
PAIRS = st.tuples(st.sampled_from(ENDPOINTS), st.sampled_from(MODELS))
FAULTS = st.sampled_from(
    [
        classify_transport(TransportFault("connect_refused", "connect")),
        classify_transport(TransportFault("dns", "dns")),
        classify(500, [], b""),
        classify(529, [], b""),
        classify(401, [], b""),
        classify(429, [], b""),
        classify(429, [(b"retry-after", b"30")], b""),
        classify(400, [], b"{}"),
    ]
)


class Machine(RuleBasedStateMachine):
    """`a` and `b` share host, vendor and credential; `c` stands alone."""

    def __init__(self) -> None:
        super().__init__()
        self.env = FakeEnv()
        self.health = Health(self.env, capacity=64)
        for endpoint in ("a", "b"):
            self.health.register(endpoint, vendor="v", host="h", credential="k")
        self.health.register("c", vendor="w", host="i", credential="l")
        self.flying: list[tuple[str, str]] = []

    @rule(pair=PAIRS)
    def send(self, pair: tuple[str, str]) -> None:
        could = self.health.available(*pair)
        assert self.health.admit(*pair) == could
        if could:
            self.flying.append(pair)

    @rule(pair=PAIRS)
    def send_in_panic(self, pair: tuple[str, str]) -> None:
        if all(not self.health.available(e, m) for e in ENDPOINTS for m in MODELS) and self.health.admit(
            *pair, panic=True
        ):
            assert not self.health.admit(*pair, panic=True)
            self.flying.append(pair)

    @precondition(lambda self: self.flying)
    @rule(fault=FAULTS)
    def fail(self, fault: Fault) -> None:
        pair = self.flying.pop(0)
        self.health.failed(*pair, fault)
        if fault.retry_after_s:
            assert not self.health.available(*pair)

    @precondition(lambda self: self.flying)
    @rule(abandoned=st.booleans())
    def end(self, abandoned: bool) -> None:
        pair = self.flying.pop()
        if abandoned:
            self.health.abandoned(*pair)
        else:
            self.health.succeeded(*pair, ttft_s=0.5)

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 15.0, 60.0, 600.0]))
    def wait(self, seconds: float) -> None:
        self.env.at += seconds

    @rule()
    def mended(self) -> None:
        self.health.credential_changed("k")

    @invariant()
    def reasons_and_availability_agree(self) -> None:
        for endpoint in ENDPOINTS:
            for model in MODELS:
                assert self.health.available(endpoint, model) == (not self.health.reason(endpoint, model))

    @invariant()
    def nothing_waits_longer_than_an_hour_and_something_is_always_soonest(self) -> None:
        soonest = self.health.soonest([(e, m) for e in ENDPOINTS for m in MODELS])
        assert soonest is not None
        assert 0 <= soonest.wait_s <= 3600
        for circuit in self.health.resting():
            assert circuit.wait_s <= 3600

    @invariant()
    def what_is_not_disabled_recovers_by_itself(self) -> None:
        disabled = {c.name for c in self.health.resting() if c.state == "disabled"}
        at, self.env.at = self.env.at, self.env.at + 4000
        for endpoint, credential in (("a", "k"), ("c", "l")):
            assert self.health.available(endpoint, "m") == (credential not in disabled)
        self.env.at = at

    def teardown(self) -> None:
        self.env.at += 4000 + PANIC_SPACING_S
        for endpoint in ENDPOINTS:
            assert self.health.admit(endpoint, "m", panic=True)
            self.health.abandoned(endpoint, "m")


Machine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestMachine = Machine.TestCase
