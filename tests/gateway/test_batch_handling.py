"""What holds of the batches of both dialects."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway import test_batches, test_message_batches
from tests.gateway.shelf_provider import line, shelved

from suffice.gateway.batch_handling import object_of


@pytest.mark.parametrize("dialect", ["chat", "messages"])
async def test_a_path_below_a_batch_that_means_nothing_reaches_no_provider(dialect: str, tmp_path: Path):
    shelf = shelved if dialect == "chat" else test_message_batches.shelved
    async with shelf(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        if dialect == "chat":
            made, below = await test_batches.begin(up, key, line()), "/batches"
        else:
            made = await test_message_batches.begin(up, key, test_message_batches.request())
            below = test_message_batches.PATH
        path, seen = f"{below}/{made.json['id']}", len(provider.seen)
        got = await up.get(path + "/else", key)
        assert (got.status, "there is no route GET") == (404, got.error["message"][:21])
        assert (await up.post(path, b"", key)).status == 404
        assert (await up.post(path + "/cancel/now", b"", key)).status == 404
        assert len(provider.seen) == seen


@pytest.mark.parametrize("answer", [b"", b"[1]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_description_that_is_no_object_is_an_empty_one(answer: bytes):
    assert object_of(answer) == {}
    assert object_of(b'{"id": "a"}') == {"id": "a"}
