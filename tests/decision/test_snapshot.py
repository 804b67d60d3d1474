from dataclasses import FrozenInstanceError, replace

import pytest

from suffice.decision import cost
from suffice.decision.skill import fresh
from suffice.decision.snapshot import Holder, Snapshot


def test_a_reader_keeps_the_snapshot_it_took() -> None:
    first = Snapshot(skill=fresh(("a",), ("x",)), cost=cost.fresh(("a",), 1), catalog="v1")
    holder = Holder(first)
    taken = holder.current
    assert holder.swap(replace(first, catalog="v2")) is first
    assert taken.catalog == "v1" and holder.current.catalog == "v2"
    assert dict(holder.current.versions)["catalog"] == "v2"
    with pytest.raises(FrozenInstanceError):
        taken.catalog = "x"  # type: ignore[misc]
