import numpy as np
import pytest

from suffice.decision import cost, gates
from suffice.decision.calibration import Tracked, tracked
from suffice.decision.guarantee import certify
from suffice.decision.learning import Label, learn
from suffice.decision.skill import add_repo, fresh
from suffice.decision.snapshot import Snapshot
from suffice.decision.state import dumps, loads
from suffice.errors import DecisionError

MAP = tracked(Tracked(slope=1.1, offset=-0.2), 0.4, True, 0.9)


def _snapshot() -> Snapshot:
    skill = add_repo(fresh(("a", "b"), ("x", "y"), features=2), "r")
    skill = learn(skill, Label(label_id="1", arm="a", cell=1, success=True, repo="r", at_s=5.0)).posterior
    gate = gates.learn(gates.GatePosterior(), gate="g", cell="x", family="f", accepted=True, right=False)
    certificate = certify(
        np.zeros((200, 2)), np.array([0.9, 0.1]), family="f", epsilon=0.1, delta=0.1, catalog="c", now_s=1
    )
    return Snapshot(
        skill=skill, cost=cost.learn(cost.fresh(("a", "b"), 2), arm="a", cell=0, output_tokens=77, steps=3),
        gates=gates.learn_pair(gate, gate="g", second_accepted=True), calibration=(("edit", MAP),),
        certificates=(certificate,), catalog="2026-11", gathered=(("edit", (0.0, 1.0)),),
    )  # fmt: skip


def test_what_comes_back_is_what_went_in() -> None:
    before = _snapshot()
    after = loads(dumps(before))
    assert dumps(after) == dumps(before)
    assert np.array_equal(after.skill.ability, before.skill.ability) and after.skill.seen == ("1",)
    assert gates.rates(after.gates, "g", "x", "f") == gates.rates(before.gates, "g", "x", "f")
    assert after.certificates == before.certificates and after.calibration == before.calibration
    assert after.gathered == before.gathered


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda b: b"", "not a posterior"),
        (lambda b: b.replace(b"posterior 1 ", b"posterior 9 ", 1), "format 9"),
        (lambda b: b[:-20], "checksum"),
        (lambda b: b.replace(b"2026-11", b"2026-12"), "checksum"),
    ],
)
def test_damaged_or_foreign_bytes_are_refused_with_a_hint(change, word: str) -> None:
    with pytest.raises(DecisionError, match=word) as caught:
        loads(change(dumps(_snapshot())))
    assert caught.value.hint


def _signed(body: bytes) -> bytes:
    import hashlib

    return f"suffice-posterior 1 {hashlib.sha256(body).hexdigest()}\n".encode() + body


def test_well_signed_nonsense_is_refused_too() -> None:
    body = dumps(_snapshot()).partition(b"\n")[2]
    for bad in (b"{}", b"[1]", body.replace(b'"x","y"', b'"x"', 1), body.replace(b"0.09", b"NaN", 1)):
        with pytest.raises(DecisionError):
            loads(_signed(bad))
