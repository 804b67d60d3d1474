from __future__ import annotations

import asyncio

import pytest

from suffice.upstream.credentials import PAUSE_S, CredentialError, Fixed, Issued, Keeper
from suffice.upstream.transport_fault import TransportFault


class Carrier:
    """A clock that the test turns, and tasks that end with it."""

    def __init__(self) -> None:
        self.time_s = 1_000_000.0
        self.tasks: list[asyncio.Task[Issued]] = []

    def wall_s(self) -> float:
        return self.time_s

    def background(self, work) -> asyncio.Task[Issued]:
        self.tasks.append(asyncio.get_running_loop().create_task(work))
        return self.tasks[-1]

    async def settled(self) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Counting:
    """Gives token 1, token 2, ..., each for `life_s` seconds; fails while `broken`."""

    def __init__(self, carrier: Carrier, life_s: float = 3600.0) -> None:
        self.carrier, self.life_s, self.fetched, self.broken = carrier, life_s, 0, False
        self.go: asyncio.Event | None = None

    async def fetch(self, carrier) -> Issued:
        self.fetched += 1
        if self.go is not None:
            await self.go.wait()
        if self.broken:
            raise CredentialError("the tool ended with exit code 1")
        return Issued(token=f"token-{self.fetched}", expires_s=self.carrier.time_s + self.life_s)


async def test_a_token_is_fetched_once_and_kept():
    carrier = Carrier()
    source = Counting(carrier)
    keeper = Keeper(source, "one")
    tokens = await asyncio.gather(*(keeper.get(carrier) for _ in range(50)))
    assert {t.token for t in tokens} == {"token-1"} and source.fetched == 1
    carrier.time_s += 3000
    assert (await keeper.get(carrier)).token == "token-1" and source.fetched == 1


async def test_it_is_renewed_behind_the_request_while_it_is_still_good():
    carrier = Carrier()
    source = Counting(carrier)
    keeper = Keeper(source, "one")
    await keeper.get(carrier)
    carrier.time_s += 3400
    source.go = asyncio.Event()
    assert (await keeper.get(carrier)).token == "token-1"
    assert (await keeper.get(carrier)).token == "token-1"
    source.go.set()
    await carrier.settled()
    assert source.fetched == 2
    assert (await keeper.get(carrier)).token == "token-2"


async def test_a_renewal_that_fails_costs_nothing_until_the_old_one_ends():
    carrier = Carrier()
    source = Counting(carrier)
    keeper = Keeper(source, "one")
    await keeper.get(carrier)
    source.broken = True
    carrier.time_s += 3400
    for _ in range(5):
        assert (await keeper.get(carrier)).token == "token-1"
        await carrier.settled()
    assert source.fetched == 2, "a source that failed is left alone for a while"
    carrier.time_s += 300
    with pytest.raises(TransportFault) as caught:
        await keeper.get(carrier)
    assert (caught.value.kind, caught.value.bytes_sent) == ("credential", "none")
    assert "exit code 1" in str(caught.value)
    source.broken = False
    with pytest.raises(TransportFault, match="less than"):
        await keeper.get(carrier)
    carrier.time_s += PAUSE_S
    assert (await keeper.get(carrier)).token.startswith("token-")


async def test_a_request_that_leaves_does_not_end_the_fetch_of_the_others():
    carrier = Carrier()
    source = Counting(carrier)
    source.go = asyncio.Event()
    keeper = Keeper(source, "one")
    first, second = (asyncio.create_task(keeper.get(carrier)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    source.go.set()
    assert (await second).token == "token-1" and source.fetched == 1


async def test_what_a_provider_refused_is_got_anew_unless_it_is_fresh():
    carrier = Carrier()
    source = Counting(carrier)
    keeper = Keeper(source, "one")
    await keeper.get(carrier)
    keeper.forget(carrier.time_s + 1)
    assert (await keeper.get(carrier)).token == "token-1"
    carrier.time_s += 60
    keeper.forget(carrier.time_s)
    assert (await keeper.get(carrier)).token == "token-2"


async def test_a_fixed_credential_is_never_fetched_nor_forgotten():
    carrier = Carrier()
    keeper = Keeper(Fixed(Issued(token="t")), "one")
    keeper.forget(carrier.time_s)
    assert (await keeper.get(carrier)).token == "t" and carrier.tasks == []


async def test_a_credential_that_is_over_already_is_refused():
    carrier = Carrier()
    with pytest.raises(TransportFault, match="clock"):
        await Keeper(Counting(carrier, life_s=-5), "one").get(carrier)


def test_no_secret_in_a_repr():
    assert "SECRET" not in repr(Issued(token="SECRET"))
