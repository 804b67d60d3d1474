from __future__ import annotations

import pytest

from suffice.upstream.deadlines import Deadlines, Timings


@pytest.mark.parametrize("name", ["queue_s", "connect_s", "write_s", "head_s", "first_byte_s", "between_s", "total_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_deadline_is_positive(name, value):
    with pytest.raises(ValueError, match=name):
        Deadlines(**{name: value})


def test_timings_begin_unreached():
    t = Timings(5.0)
    assert (t.start, t.connected, t.written, t.head, t.first_byte, t.last_byte) == (5.0, 0, 0, 0, 0, 0)
