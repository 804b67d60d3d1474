"""Real coding agents before a cheap model that makes every kind of mistake: each call is spoilt at first, none reaches the client."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace as changed

import pytest
from msgspec.structs import replace
from tests.clients.driving import drive, scratch
from tests.clients.judging import marks, needed, row_of
from tests.clients.results import Row, note
from tests.clients.roster import CASES, NEW, OLD, Case
from tests.clients.script import Model, Step, call, done_of

from suffice.testing.script import Behaviour, Call, ToolCall, Toxic

MARK = "spoilt"
BROKEN_CODE = f"def add(a, b):  # {MARK}\n    return (a +\n"
ALIKE = f"import reqeusts  # {MARK}\n\n\ndef add(a, b):\n    return reqeusts.get(a + b)\n"
PROMPTED = ("was checked automatically", "was rejected by an automatic check")


def _edit(old: str, new: str) -> ToolCall:
    return call("edit", path="calc.py", edits=[{"oldText": old, "newText": new}])


def _patch(old: str, new: str) -> ToolCall:
    return call("apply_patch", input=f"*** Begin Patch\n*** Update File: calc.py\n@@\n-{old}\n+{new}\n*** End Patch")


def _new_file(text: str) -> ToolCall:
    lines = "".join(f"+{line}\n" for line in text.splitlines())
    return call("apply_patch", input=f"*** Begin Patch\n*** Add File: more.py\n{lines}*** End Patch")


def _spoilt(tool: ToolCall) -> Behaviour:
    return Behaviour(text="", tool_calls=(tool,))


# What is wrong, and the answer: in the order of the steps, as a call is only a repetition right after the same.
MISTAKES: Mapping[str, Mapping[str, Behaviour]] = {
    "pi": {
        "the same call again": _spoilt(call("read", path="calc.py")),
        "no JSON": _spoilt(ToolCall(name="edit", arguments=f'{{"path": "calc.py", "edits": "{MARK}",}}')),
        "cut off": replace(
            _spoilt(ToolCall(name="edit", arguments=f'{{"path": "{MARK}.py", "ed')), finish_reason="length"
        ),
        "unknown tool": _spoilt(call("edit_the_file", path=MARK)),
        "an edit that does not apply": _spoilt(_edit(f"    return a * b  # {MARK}", NEW)),
        "a syntax error": _spoilt(call("write", path="calc.py", content=BROKEN_CODE)),
        "a lookalike import": _spoilt(call("write", path="calc.py", content=ALIKE)),
        "the stream ends inside the call": replace(_spoilt(_edit(OLD, MARK)), toxic=Toxic(cut_after_events=3)),
    },
    "codex": {
        "no JSON": _spoilt(ToolCall(name="exec_command", arguments=f'{{"cmd": "echo {MARK}",}}')),
        "unknown tool": _spoilt(call("edit_the_file", path=MARK)),
        "an edit that does not apply": _spoilt(_patch(f"    return a * b  # {MARK}", NEW)),
        "a syntax error": _spoilt(_new_file(BROKEN_CODE)),
        "a lookalike import": _spoilt(_new_file(ALIKE)),
        "the stream ends inside the call": replace(_spoilt(_patch(OLD, MARK)), toxic=Toxic(cut_after_events=3)),
    },
}
EDITS = {"pi": _edit, "codex": _patch}
PATCHES = next(case for case in CASES if (case.client, case.variant) == ("codex", "patch"))
SOCKET = next(case for case in CASES if (case.client, case.variant) == ("codex", "websocket"))
TRIED = [
    *(case for case in CASES if case.client == "pi"),
    PATCHES,
    changed(PATCHES, variant="patch, websocket", arguments=SOCKET.arguments),
]


def steps_of(case: Case) -> tuple[Step, ...]:
    """Return a look at the file and one edit for each mistake; the last one makes the file right."""
    texts = [OLD, *(f"    return a + b - {n}" for n in range(1, len(MISTAKES[case.client]))), NEW]
    look = call("read", path="calc.py") if case.client == "pi" else call("exec_command", cmd="cat calc.py")
    return (look, *(EDITS[case.client](old, new) for old, new in itertools.pairwise(texts)))


class Cheap:
    """Spoils the first answer of every step but the look at the file."""

    def __init__(self, case: Case) -> None:
        self._left = list(MISTAKES[case.client].values())
        self._seen: set[str] = set()

    def __call__(self, number: int, plain: Behaviour, call: Call) -> Behaviour:
        step = repr(plain.tool_calls)
        if number == 0 or not plain.tool_calls or step in self._seen:
            return plain
        self._seen.add(step)
        return self._left.pop(0)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=marks(c, c.dialect)) for c in TRIED])
async def test_every_mistake_of_a_cheap_model_is_mended_before_the_client_sees_it(case: Case):
    row = row_of(case, case.dialect, "mistakes")
    needed(case, row)
    note(row)
    steps, count = steps_of(case), len(MISTAKES[case.client])
    with scratch() as folder:
        run = await drive(changed(case, limit_s=120), case.dialect, Model(steps, Cheap(case)), folder)
    faults = run.faults()
    note(Row(**{**vars(row), "result": "failed" if faults else "passed", "note": "; ".join(faults)}))
    assert not faults, f"{faults}\n--- client\n{run.said[-3000:]}\n--- gateway\n{run.log[-2000:]}"
    asked = [r for r in run.requests if r.method == "POST" and not any(one.encode() in r.body for one in PROMPTED)]
    # What the client sends back of its history is what it was told: every step once, and nothing of what was spoilt.
    assert not [r.body for r in asked if MARK.encode() in r.body]
    assert done_of(json.loads(asked[-1].body)) == len(steps)
    outcomes = [r.row.outcome for r in run.attempts]
    assert [o for o in outcomes if o != "ok"] == ["rejected"] * (count - 1) + ["failed"]
    turns = [list(rows) for _, rows in itertools.groupby(run.attempts, key=lambda r: r.row.request_id)]
    assert [len(rows) for rows in turns] == [1] + [2] * count + [1]
    assert all(r.row.charge_nano > 0 for r in run.attempts)
