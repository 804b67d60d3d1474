"""Edits in the text of clients without tools: a rejected one is replaced by another answer's edit alone, over real sockets."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.edit_clients import SOURCE, path
from tests.e2e.test_dialects import CLIENTS, EVERY, talking

from suffice.testing.script import Behaviour

ROLE = "Edit with search/replace blocks. The file calc.py:\n\ncalc.py\n```python\n" + SOURCE + "```\n"
TASK = "Fix the bug in calc.py: add subtracts."
HOLD = {"x-suffice-mode": "gate-tools"}


def block(old: str) -> str:
    return f"calc.py\n```python\n<<<<<<< SEARCH\n{old}\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n"


WRONG, FITTING = block("    return a * b"), block("    return a - b")
FIRST = Behaviour(text=f"The sign is wrong.\n\n{WRONG}That is all.")
SECOND = Behaviour(text=f"Here you are.\n\n{FITTING}Tell me if it fails.")


def body(client: str) -> dict[str, Any]:
    said = {"model": "one", "stream": True, "messages": [{"role": "user", "content": TASK}]}
    return {
        "chat": said | {"messages": [{"role": "system", "content": ROLE}, *said["messages"]]},  # type: ignore[misc]
        "messages": said | {"system": ROLE, "max_tokens": 4000},
        "responses": {"model": "one", "stream": True, "instructions": ROLE, "input": TASK},
        "gemini": {
            "systemInstruction": {"parts": [{"text": ROLE}]},
            "contents": [{"role": "user", "parts": [{"text": TASK}]}],
        },
    }[client]


@EVERY
async def test_a_rejected_edit_in_the_text_is_replaced_by_an_edit_alone(client: str, provider: str, tmp_path: Path):
    async with talking(tmp_path, provider, [FIRST, SECOND]) as (running, _):
        answer = await running.post(path(client), body(client), HOLD)
        rows = await running.rows(answer)
        assert await running.findings() == []
    told = CLIENTS[client].told(answer)
    assert told.text.startswith("The sign is wrong.\n\n")
    assert FITTING in told.text
    assert not any(word in told.text for word in ("a * b", "Here you are", "Tell me"))
    assert told.ended
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    assert all(r.row.charge_nano > 0 for r in rows)


@pytest.mark.parametrize("client", CLIENTS)
async def test_by_default_text_is_not_held(client: str, tmp_path: Path):
    async with talking(tmp_path, client, [FIRST, SECOND]) as (running, fake):
        told = CLIENTS[client].told(await running.post(path(client), body(client)))
        assert told.text == FIRST.text
        assert len(fake.requests) == 1


async def test_a_response_that_ends_in_the_edits_of_another_answer_is_continued_as_the_client_saw_it(tmp_path: Path):
    for provider in ("responses", "chat"):
        script = [FIRST, SECOND, Behaviour(text="Done.")]
        async with talking(tmp_path / provider, provider, script) as (running, fake):
            answer = await running.post(path("responses"), body("responses"), HOLD)
            last = json.loads(answer.events[-1])["response"]
            assert (await running.get(f"/responses/{last['id']}")).json["output"] == last["output"]
            more = body("responses") | {"previous_response_id": last["id"], "input": "Thanks. Is that all?"}
            again = CLIENTS["responses"].told(await running.post("/responses", more))
            assert again.text == "Done."
            sent = json.dumps(fake.requests[2].parsed)
        assert "a - b\\n=======" in sent and "The sign is wrong." in sent
        assert not any(word in sent for word in ("a * b", "Here you are", "Tell me"))
