"""The mapping in a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from suffice.errors import NotFoundError
from suffice.gateway.passed_objects import PassedObject, PassedObjects, page
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv


@pytest.fixture
async def objects(tmp_path: Path) -> AsyncIterator[PassedObjects]:
    database = Database(SystemEnv(), tmp_path / "s.db")
    await asyncio.to_thread(database.open)
    yield PassedObjects(database)
    await asyncio.to_thread(database.close)


def made(object_id: str, key_id: str = "k", endpoint: str = "one", at: int = 1) -> PassedObject:
    return PassedObject(object_id, endpoint, "file", key_id, at, body=f'{{"id":"{object_id}"}}')


async def test_an_object_is_whose_it_was_first(objects: PassedObjects):
    await objects.put(made("a"))
    await objects.put(made("a", key_id="thief"))
    assert (await objects.find("file", "a", "k")).key_id == "k"
    for kind, name, key in (("file", "a", "thief"), ("batch", "a", "k"), ("file", "b", "k")):
        with pytest.raises(NotFoundError):
            await objects.find(kind, name, key)
    with pytest.raises(NotFoundError):
        await objects.find("file", "a", "k", endpoint="two")


async def test_one_caller_settles(objects: PassedObjects):
    row = made("a")
    await objects.put(row)
    found = await asyncio.gather(*(objects.settle(row) for _ in range(5)))
    assert sorted(found) == [False, False, False, False, True]
    await objects.unsettle(row)
    assert await objects.settle(row)


async def test_descriptions_are_kept_up_to_date_and_forgotten(objects: PassedObjects):
    row = made("a")
    await objects.put(row)
    await objects.update(row, b'{"id":"a","status":"done"}')
    assert (await objects.find("file", "a", "k")).shown["status"] == "done"
    await objects.delete(row)
    assert await objects.of_key("file", "k") == []


async def test_pages(objects: PassedObjects):
    for n in range(5):
        await objects.put(made(f"f{n}", at=n))
    rows = await objects.of_key("file", "k")
    assert [row.id for row in rows] == ["f4", "f3", "f2", "f1", "f0"]
    first = page(rows, limit="2", after="")
    assert ([r["id"] for r in first["data"]], first["has_more"], first["last_id"]) == (["f4", "f3"], True, "f3")
    last = page(rows, limit="9", after="f1")
    assert ([r["id"] for r in last["data"]], last["has_more"]) == (["f0"], False)
    assert page(rows, limit="x", after="none")["data"] == []
    assert page(rows, limit="1", after="", order="asc")["first_id"] == "f0"
