from __future__ import annotations

from suffice.upstream.circuit import PROBE_LEASE_S, Circuit
from suffice.upstream.faults import classify, classify_transport
from suffice.upstream.transport_fault import TransportFault

REFUSED = classify_transport(TransportFault("connect_refused", "connect"))
ERROR = classify(500, [], b"")
LIMITED = classify(429, [(b"retry-after", b"7")], b"")


def test_it_opens_at_once_and_lets_one_probe_through_when_its_time_has_come() -> None:
    circuit = Circuit()
    assert circuit.fail(REFUSED, 100.0)
    assert not circuit.available(104.9)
    assert circuit.wait_s(101.0) == 4.0
    assert circuit.available(105.0)
    circuit.begin(105.0)
    assert not circuit.available(105.1)
    circuit.succeed(106.0)
    assert circuit.available(106.0)
    assert (circuit.trips, circuit.cause) == (0, "")


def test_failed_probes_double_the_wait_up_to_the_rows_maximum() -> None:
    circuit, now, waits = Circuit(), 0.0, []
    for _ in range(7):
        circuit.fail(REFUSED, now)
        waits.append(circuit.wait_s(now))
        now = circuit.open_until
        circuit.begin(now)
    assert waits == [5, 10, 20, 40, 60, 60, 60]


def test_a_named_wait_is_kept_to_the_letter_each_time() -> None:
    circuit, now = Circuit(), 0.0
    for _ in range(3):
        circuit.fail(LIMITED, now)
        assert circuit.wait_s(now) == 7
        now = circuit.open_until
        circuit.begin(now)


def test_late_failures_neither_double_nor_shorten() -> None:
    circuit = Circuit()
    circuit.fail(REFUSED, 0.0)
    assert not circuit.fail(REFUSED, 1.0)
    assert circuit.wait_s(1.0) == 4.0
    circuit.fail(LIMITED, 1.0)
    assert circuit.wait_s(1.0) == 7.0
    circuit.fail(REFUSED, 2.0)
    assert circuit.wait_s(2.0) == 6.0


def test_three_strikes_of_ten() -> None:
    circuit = Circuit()
    assert not circuit.fail(ERROR, 0.0)
    assert not circuit.fail(ERROR, 0.0)
    for _ in range(8):
        circuit.succeed(0.0)
    # The first two leave the window as the next two come in.
    assert not circuit.fail(ERROR, 0.0)
    assert not circuit.fail(ERROR, 0.0)
    assert circuit.available(0.0)
    assert circuit.fail(ERROR, 0.0)
    assert not circuit.available(0.0)


def test_answers_to_earlier_requests_do_not_close_it() -> None:
    circuit = Circuit()
    circuit.fail(LIMITED, 0.0)
    circuit.succeed(1.0)
    assert not circuit.available(1.0)


def test_a_lost_probe_gives_way_to_another() -> None:
    circuit = Circuit()
    circuit.fail(REFUSED, 0.0)
    circuit.begin(5.0)
    assert not circuit.available(5.0 + PROBE_LEASE_S - 1)
    assert circuit.available(5.0 + PROBE_LEASE_S)
    circuit.abandon()
    assert circuit.available(5.0)


def test_disabled_is_for_good_until_a_probe_succeeds() -> None:
    circuit = Circuit()
    circuit.fail(classify(401, [], b""), 0.0)
    assert not circuit.available(1e9)
    circuit.begin(1e9)
    circuit.succeed(1e9)
    assert circuit.available(1e9)
