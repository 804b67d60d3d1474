from __future__ import annotations

import copy
import pickle

from suffice.upstream.transport_fault import TransportFault


def test_a_fault_tells_its_story():
    fault = TransportFault("stall", "body", bytes_sent="all", reused=True, detail="deadline passed")
    assert (fault.kind, fault.phase, fault.bytes_sent, fault.reused) == ("stall", "body", "all", True)
    assert str(fault) == "stall in phase body, request bytes sent: all: deadline passed"
    assert str(TransportFault("dns", "dns")) == "dns in phase dns, request bytes sent: none"


def test_a_fault_can_be_copied():
    fault = TransportFault("stall", "body", bytes_sent="all", reused=True, detail="d")
    for other in (copy.copy(fault), pickle.loads(pickle.dumps(fault))):
        assert str(other) == str(fault) and other.reused
