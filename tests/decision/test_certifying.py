import numpy as np
import pytest

from suffice.decision.certifying import BATCH, DELTA, LADDER, heard, tightest
from suffice.decision.guarantee import Certificate, valid


def fed(wrongs: list[bool], known: dict[str, Certificate] | None = None) -> tuple[dict[str, Certificate], list[str]]:
    known, notes = dict(known or {}), []
    waiting: tuple[float, ...] = ()
    for at, wrong in enumerate(wrongs):
        found, waiting, note = heard(known, {"edit": waiting}, "edit", wrong=wrong, now_s=1000.0 + at, catalog="c1")
        if found is not None:
            known["edit"] = found
        notes.append(note)
    return known, [note for note in notes if note]


def test_a_full_batch_is_certified_at_the_tightest_promise_that_it_supports() -> None:
    known, notes = fed([False] * (BATCH - 1))
    assert known == {} and notes == []
    known, notes = fed([at % 20 == 0 for at in range(BATCH)])
    assert notes == ["certified:edit"]
    one = known["edit"]
    assert 0.05 < one.epsilon <= 0.1 and one.n == BATCH
    assert valid(one, 1300.0, "c1") == (True, "") and not valid(one, 1300.0, "c2")[0]


def test_labels_wait_for_a_batch_and_no_label_is_used_twice() -> None:
    _, waiting, _ = heard({}, {"edit": (0.0, 1.0)}, "edit", wrong=True, now_s=1.0, catalog="c")
    assert waiting == (0.0, 1.0, 1.0)
    _, waiting, note = heard({}, {"edit": (0.0,) * (BATCH - 1)}, "edit", wrong=False, now_s=1.0, catalog="c")
    assert waiting == () and note == "certified:edit"


def test_what_is_mostly_wrong_is_never_certified() -> None:
    assert fed([True] * (2 * BATCH)) == ({}, [])


def test_fresh_labels_that_contradict_it_revoke_it_once() -> None:
    known, _ = fed([at % 20 == 0 for at in range(BATCH)])
    known, notes = fed([True] * 20, known)
    assert notes == ["revoked:edit"] and known["edit"].revoked


@pytest.mark.parametrize("risk", [0.06, 0.12, 0.22])
def test_promises_are_broken_less_often_than_delta(risk: float) -> None:
    rng = np.random.default_rng(5)
    broken = 0
    for _ in range(500):
        rung = tightest((rng.random(BATCH) < risk).astype(float))
        broken += int(rung >= 0 and LADDER[rung] < risk)
    assert broken / 500 <= DELTA
