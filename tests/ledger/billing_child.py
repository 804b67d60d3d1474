"""A gateway's child for the crash tests: it reserves, has a provider bill, settles, and dies where it is told to.

The provider's own journal (`bill`) is the oracle: one line per billed attempt, written between reserve and settle as a
provider would; `acked` has a line for each settlement that was acknowledged to the client.
Usage: billing_child.py FOLDER DIE_AT_HOOK(0 = never) REQUESTS CONCURRENCY LIMIT_NANO SEED [STRICT]
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

from suffice.errors import BudgetError
from suffice.ledger.book import Ledger
from suffice.ledger.budgets import Budget, Period
from suffice.ledger.records import AttemptIntent, AttemptResult, DecisionRecord
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv


class Death:
    """Counts the hooks and kills this process at the chosen one."""

    def __init__(self, at: int, trail: Path) -> None:
        self.at, self.count, self.fd = at, 0, os.open(trail, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, name: str) -> None:
        self.count += 1
        os.write(self.fd, f"{name}\n".encode())
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def note(fd: int, *fields: object) -> None:
    os.write(fd, (" ".join(map(str, fields)) + "\n").encode())


async def serve(
    folder: Path, death: Death, requests: int, concurrency: int, limit: int, seed: int, strict: bool
) -> None:
    env, chance = SystemEnv(), random.Random(seed)
    bill, acked = (os.open(folder / n, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for n in ("bill", "acked"))
    database = Database(env, folder / "suffice.db", group_s=0.002, crash=death)
    database.open()
    ledger = Ledger(
        env,
        database,
        folder / "journal",
        durability="strict" if strict else "standard",
        segment_bytes=65536,
        crash=death,
    )
    await ledger.start()
    if not any(b.id == "team" for b in ledger.budgets()):
        await ledger.define_budgets(
            [Budget(id="team", limit=limit, period=Period.TOTAL), Budget(id="key", limit=10**15)]
        )
    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            ident, amount = f"{os.getpid()}-{seed}-{number}", chance.randrange(100, 1000)
            ledger.decide(DecisionRecord(request_id=ident, at_ms=0, task="edit"))
            try:
                held = await ledger.admit(ident, 0, "k", ("key", "team"), amount, AttemptIntent(model="m"))
            except BudgetError:
                continue
            if chance.random() < 0.1:
                ledger.release(held, AttemptResult(outcome="failed"))
                continue
            cost = chance.randrange(50, amount)
            note(bill, ident, 0, cost)
            await asyncio.sleep(0 if death.at else chance.random() * 0.004)
            ledger.settle(held, AttemptResult(charge_nano=cost))
            note(acked, ident, 0, cost)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    await ledger.stop()
    database.close()


if __name__ == "__main__":
    home, die_at, n, c, nano, number = Path(sys.argv[1]), *map(int, sys.argv[2:7])
    asyncio.run(serve(home, Death(die_at, home / "trail"), n, c, nano, number, "strict" in sys.argv))
