"""A recorded decision asked again: whether it comes out the same, and at which repair cost another model would go first.

The record holds what was asked; beliefs and prices are those of now, and where they have moved since, that is said. Counterfactuals come
from solving the same plan again, not from a formula that holds for one attempt only. Nothing is sent and nothing changes. Invariant: a
sentence about a repair cost was found by the router itself on both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable

from suffice.gateway.policy_replay import ask
from suffice.gateway.state import State
from suffice.ledger.records import DecisionRecord
from suffice.values.money import NANO_PER_USD, NanoUsd, format_usd
from suffice.values.plan import Arm

LEAST_USD, MOST_USD, FACTOR, BISECTIONS = 1e-4, 1e4, 2.0, 16


def what_if(record: DecisionRecord, state: State) -> tuple[str, ...]:
    """Return sentences for a person; none for a request that named its model. Raises SufficeError when nobody could serve it now."""
    plan = record.plan
    if plan is None or not plan.steps:
        return ()
    if plan.rollout is not None and plan.rollout.candidate and state.candidate is not None:
        state = state.candidate
    again = ask(record, state, plan.repair)
    if again is None:
        return ()
    moved = [name for name, version in again.versions if version != dict(plan.versions).get(name, version)]
    known = f"with what is known now ({', '.join(moved)} changed since)" if moved else "with the same versions"
    same = "the same model goes first" if again.first == plan.first else f"{again.first.name} goes first"
    out = [f"asked again {known}, without the conversation's cache: {same}"]

    def first(usd: float) -> Arm:
        found = ask(record, state, NanoUsd(round(usd * NANO_PER_USD)))
        return again.first if found is None else found.first

    here = plan.repair / NANO_PER_USD
    if here > 0:
        for end, word in ((LEAST_USD, "less"), (MOST_USD, "more")):
            flip = _nearest(first, again.first, here, end)
            if flip is not None:
                usd = format_usd(NanoUsd(round(flip[0] * NANO_PER_USD)))
                out.append(
                    f"{flip[1].name} would go first if a repair cost {word} than about {usd} (now {format_usd(plan.repair)})"
                )
    return tuple(out)


def _nearest(first: Callable[[float], Arm], chosen: Arm, here: float, end: float) -> tuple[float, Arm] | None:
    """Return the repair cost nearest to `here` on the way to `end` at which another arm goes first, and that arm."""
    factor = FACTOR if end > here else 1.0 / FACTOR
    near = here
    while LEAST_USD <= near * factor <= MOST_USD:
        far = near * factor
        if first(far) != chosen:
            for _ in range(BISECTIONS):
                middle = (near * far) ** 0.5
                near, far = (middle, far) if first(middle) == chosen else (near, middle)
            return far, first(far)
        near = far
    return None
