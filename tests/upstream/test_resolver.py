from __future__ import annotations

import asyncio

import pytest

from suffice.upstream.resolver import Resolver, system_lookup
from suffice.upstream.transport_fault import TransportFault


class Names:
    """A name server and a clock under the test's control."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def lookup(self, host: str, port: int) -> list[str]:
        self.asked += 1
        await asyncio.sleep(0)
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def resolve(names: Names, resolver: Resolver, *, private: bool = False) -> list[str]:
    return await resolver.resolve("h.example", 443, private=private)


async def test_fresh_then_asked_again_then_stale_then_gone():
    names = Names(["1.1.1.1"], ["1.0.0.1"], OSError("down"))
    r = Resolver(names.now, names.lookup)
    assert await resolve(names, r) == ["1.1.1.1"]
    names.time += 59
    assert await resolve(names, r) == ["1.1.1.1"] and names.asked == 1
    names.time += 2
    assert await resolve(names, r) == ["1.0.0.1"] and names.asked == 2
    names.time += 299
    assert await resolve(names, r) == ["1.0.0.1"] and names.asked == 3
    names.time += 2
    with pytest.raises(TransportFault) as caught:
        await resolve(names, r)
    assert (caught.value.kind, caught.value.bytes_sent) == ("dns", "none")


async def test_bad_addresses_are_left_out_and_refused_when_alone():
    names = Names(["10.0.0.1", "1.1.1.1", "169.254.169.254"])
    r = Resolver(names.now, names.lookup)
    assert await resolve(names, r) == ["1.1.1.1"]
    assert await resolve(names, r, private=True) == ["10.0.0.1", "1.1.1.1"]
    names = Names(["127.0.0.1"])
    r = Resolver(names.now, names.lookup)
    assert await resolve(names, r, private=True) == ["127.0.0.1"]
    with pytest.raises(TransportFault) as caught:  # the cached answer of a private endpoint helps no other
        await resolve(names, r)
    assert caught.value.kind == "egress_denied"


async def test_rebinding_is_checked_at_every_answer():
    names = Names(["1.1.1.1"], ["127.0.0.1"])
    r = Resolver(names.now, names.lookup)
    await resolve(names, r)
    names.time += 61
    with pytest.raises(TransportFault) as caught:
        await resolve(names, r)
    assert caught.value.kind == "egress_denied"


async def test_many_ask_once():
    names = Names(["1.1.1.1"])
    r = Resolver(names.now, names.lookup)
    await asyncio.gather(*(resolve(names, r) for _ in range(50)))
    assert names.asked == 1


async def test_a_slow_name_server(monkeypatch):
    monkeypatch.setattr("suffice.upstream.resolver._DEADLINE_S", 0.01)

    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    with pytest.raises(TransportFault) as caught:
        await Resolver(lambda: 0.0, never).resolve("h.example", 443, private=False)
    assert caught.value.kind == "dns"


async def test_no_address_is_a_failure_and_literals_are_not_asked():
    names = Names([])
    r = Resolver(names.now, names.lookup)
    with pytest.raises(TransportFault):
        await resolve(names, r)
    assert await r.resolve("8.8.8.8", 443, private=False) == ["8.8.8.8"]
    assert names.asked == 1


async def test_the_memory_of_names_is_bounded():
    names = Names(["1.1.1.1"])
    r = Resolver(names.now, names.lookup)
    for i in range(1100):
        await r.resolve(f"h{i}.example", 443, private=False)
    assert len(r._answers) <= 1024


async def test_the_system_resolves_localhost():
    assert set(await system_lookup("localhost", 80)) & {"127.0.0.1", "::1"}
    with pytest.raises(OSError):
        await system_lookup("no-such-name.invalid", 80)
