from __future__ import annotations

import pytest
from tests.upstream.fake_env import FakeEnv

from suffice.upstream.faults import Fault, Seen, classify, classify_seen, classify_transport
from suffice.upstream.health import Health
from suffice.upstream.transport_fault import TransportFault

REFUSED = classify_transport(TransportFault("connect_refused", "connect"))
DNS = classify_transport(TransportFault("dns", "dns"))
OVERLOADED = classify(529, [], b"")
AUTH = classify(401, [], b"")
QUOTA = classify(429, [], b'{"error":{"code":"insufficient_quota"}}')


@pytest.fixture
def env() -> FakeEnv:
    return FakeEnv()


@pytest.fixture
def health(env: FakeEnv) -> Health:
    health = Health(env)
    for n in (1, 2, 3, 4):
        health.register(f"e{n}", vendor="v", host="h12" if n < 3 else f"h{n}", credential="k12" if n < 3 else f"k{n}")
    health.register("other", vendor="w", host="x", credential="y")
    return health


@pytest.mark.parametrize(
    ("fault", "rests"),
    [
        (REFUSED, {("e1", "m")}),
        (DNS, {("e1", "m"), ("e1", "n"), ("e2", "m"), ("e2", "n")}),
        (QUOTA, {("e1", "m"), ("e1", "n"), ("e2", "m"), ("e2", "n")}),
        (AUTH, {("e1", "m"), ("e1", "n"), ("e2", "m"), ("e2", "n")}),
        (classify_seen(Seen.EMPTY), set()),
    ],
)
def test_what_rests(health: Health, fault: Fault, rests: set[tuple[str, str]]) -> None:
    health.failed("e1", "m", fault)
    pairs = {(e, m) for e in ("e1", "e2", "e3", "other") for m in ("m", "n")}
    assert {p for p in pairs if not health.available(*p)} == rests
    assert {p for p in pairs if health.reason(*p)} == rests


def test_a_vendor_rests_after_three_credentials(health: Health, env: FakeEnv) -> None:
    health.failed("e1", "m", OVERLOADED)
    health.failed("e2", "m", OVERLOADED)
    health.failed("e3", "m", OVERLOADED)
    assert health.available("e4", "m")
    health.failed("e4", "m", OVERLOADED)
    assert not health.available("e3", "other-model")
    assert health.available("other", "m")
    assert "vendor cooling" in health.reason("e3", "other-model")


def test_an_old_overload_does_not_count(health: Health, env: FakeEnv) -> None:
    for endpoint in ("e1", "e3", "e4"):
        health.failed(endpoint, "m", OVERLOADED)
        env.at += 40
    assert health.available("e1", "other-model")


def test_one_probe_at_a_time(health: Health, env: FakeEnv) -> None:
    health.failed("e1", "m", REFUSED)
    assert not health.admit("e1", "m")
    env.at += 5
    assert health.admit("e1", "m")
    assert not health.admit("e1", "m")
    health.abandoned("e1", "m")
    assert health.admit("e1", "m")
    health.succeeded("e1", "m")
    assert health.admit("e1", "m")
    assert health.admit("e1", "m")
    assert health.reason("e1", "m") == ""


def test_panic_probes_the_soonest_but_not_too_often(health: Health, env: FakeEnv) -> None:
    health.failed("e1", "m", REFUSED)
    env.at += 1
    health.failed("e3", "m", REFUSED)
    soonest = health.soonest([("e3", "m"), ("e1", "m")])
    assert soonest is not None
    assert (soonest.endpoint, soonest.wait_s) == ("e1", 4)
    assert health.admit("e1", "m", panic=True)
    assert not health.admit("e1", "m", panic=True)
    health.failed("e1", "m", REFUSED)
    assert not health.admit("e1", "m", panic=True)
    env.at += 1
    assert health.admit("e1", "m", panic=True)
    health.succeeded("e1", "m")
    assert health.available("e1", "m")


def test_disabled_credentials(health: Health, env: FakeEnv) -> None:
    health.failed("e1", "m", AUTH)
    env.at += 10_000
    assert not health.available("e2", "n")
    assert "disabled until changed" in health.reason("e2", "n")
    health.failed("e3", "m", REFUSED)
    soonest = health.soonest([("e1", "m"), ("e3", "m")])
    assert soonest is not None
    assert soonest.endpoint == "e3"
    assert health.admit("e1", "m", panic=True)
    health.failed("e1", "m", AUTH)
    env.at += 299
    assert not health.admit("e1", "m", panic=True)
    env.at += 1
    assert health.admit("e1", "m", panic=True)
    health.credential_changed("k12")
    assert health.available("e1", "m")


def test_a_fault_of_another_scope_releases_the_probe(health: Health, env: FakeEnv) -> None:
    health.failed("e1", "m", REFUSED)
    env.at += 5
    assert health.admit("e1", "m")
    health.failed("e1", "m", DNS)
    env.at += 15
    assert health.admit("e1", "m")


def test_averages(health: Health) -> None:
    health.succeeded("e1", "m", ttft_s=1.0, tokens_per_s=100.0)
    health.succeeded("e1", "m", ttft_s=2.0)
    quality = health.quality("e1", "m")
    assert quality.ttft_s == pytest.approx(1.1)
    assert quality.tokens_per_s == 100.0
    health.failed("e1", "m", REFUSED)
    assert health.quality("e1", "m").errors == pytest.approx(0.1)
    assert health.quality("never", "seen").outcomes == 0


def test_healthy_is_stricter_than_available(health: Health) -> None:
    assert health.healthy("e1", "m")
    health.failed("e1", "m", classify(500, [], b""))
    assert health.available("e1", "m")
    assert not health.healthy("e1", "m")


def test_reports_and_forgetting(health: Health, env: FakeEnv) -> None:
    health.failed("e1", "m", REFUSED)
    health.failed("e3", "m", AUTH)
    assert [(c.scope, c.name, c.state, c.row) for c in health.resting()] == [
        ("endpoint+model", "e1", "open", 1),
        ("credential", "k3", "disabled", 26),
    ]
    env.at += 5
    assert health.resting()[0].state == "half-open"
    health.forget("e1")
    assert [c.name for c in health.resting()] == ["k3"]
    assert health.soonest([]) is None


def test_a_new_credential_starts_enabled_and_the_old_one_is_no_longer_reported(health: Health) -> None:
    health.failed("e3", "m", AUTH)
    assert not health.available("e3", "m")
    health.register("e3", vendor="v", host="h3", credential="k3-new")
    assert health.available("e3", "m")
    assert health.resting() == []


def test_a_host_rests_until_its_last_endpoint_is_forgotten(env: FakeEnv) -> None:
    health = Health(env)
    for name in ("one", "two"):
        health.register(name, vendor="v", host="shared", credential=name)
    health.failed("one", "m", classify_transport(TransportFault("dns", "dns")))
    health.forget("one")
    assert not health.available("two", "m")
    health.forget("two")
    assert (health.resting(), health.endpoints) == ([], frozenset())


def test_memory_is_bounded(env: FakeEnv) -> None:
    health = Health(env, capacity=50)
    for n in range(500):
        health.failed(f"e{n}", f"m{n}", OVERLOADED)
        health.admit(f"e{n}", f"m{n}", panic=True)
    for table in (health._circuits, health._quality, health._panic_at, health._spread, health._keys):
        assert len(table) <= 50
