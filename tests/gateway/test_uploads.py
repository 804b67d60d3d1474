"""Uploads in parts, pinned to a provider: what goes out, whose they are, what they become, on real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import Answer, Gateway
from tests.gateway.shelf_provider import shelved

from suffice.wire import multipart

BEGIN = {"filename": "big.bin", "bytes": 5, "mime_type": "application/octet-stream", "purpose": "user_data"}


async def part(up: Gateway, key: dict[str, str], upload: str, data: bytes, name: str = "data") -> Answer:
    body = multipart.encode((multipart.Part(name=name, data=data, filename="p"),), "x-boundary")
    headers = {"content-type": "multipart/form-data; boundary=x-boundary", **key}
    return await up.post(f"/uploads/{upload}/parts", body, headers)


async def test_a_file_comes_in_parts_and_is_the_keys_own(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        mine, other = await up.key(owner="a"), await up.key(owner="b")
        begun = await up.post("/uploads", BEGIN, mine)
        assert (begun.status, begun.json["status"], begun.headers["x-suffice-endpoint"]) == (200, "pending", "one")
        upload = begun.json["id"]
        assert provider.seen[-1][1:] == ("/v1/uploads", provider.seen[-1][2], json.dumps(BEGIN).encode())
        parts = [(await part(up, mine, upload, data)).json["id"] for data in (b"\x00\xffa", b"bc")]
        made = await up.post(f"/uploads/{upload}/complete", {"part_ids": parts}, mine)
        file = made.json["file"]["id"]
        assert (made.json["status"], provider.contents[file]) == ("completed", b"\x00\xffabc")
        assert (await up.get(f"/files/{file}/content", mine)).body == b"\x00\xffabc"
        assert [row["id"] for row in (await up.get("/files", mine)).json["data"]] == [file]
        assert (await up.get(f"/files/{file}", other)).status == 404
        assert all(headers["authorization"] == "Bearer key-of-ours-1234" for _, _, headers, _ in provider.seen)


async def test_the_upload_of_another_key_does_not_exist(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        mine, other = await up.key(owner="a"), await up.key(owner="b")
        upload = (await up.post("/uploads", BEGIN, mine)).json["id"]
        seen = len(provider.seen)
        assert (await part(up, other, upload, b"x")).status == 404
        for action, body in (("complete", {"part_ids": []}), ("cancel", {})):
            told = await up.post(f"/uploads/{upload}/{action}", body, other)
            assert (told.status, told.error["code"]) == (404, "upload_not_found")
        assert len(provider.seen) == seen
        cancelled = await up.post(f"/uploads/{upload}/cancel", b"", mine)
        assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")


MISTAKES: list[tuple[str, Any, int]] = [
    ("/uploads", BEGIN | {"purpose": "batch"}, 400),
    ("/uploads", b"{", 400),
    ("/uploads/upload_0/parts", {}, 400),
    ("/uploads/upload_0/nothing", {}, 404),
    ("/uploads/upload_0", {}, 404),
    ("/uploads/upload_9/cancel", {}, 404),
]


@pytest.mark.parametrize(
    ("path", "body", "status"), MISTAKES, ids=[f"{path} {n}" for n, (path, _, _) in enumerate(MISTAKES)]
)
async def test_mistakes_are_told_and_nothing_goes_out(path: str, body: Any, status: int, tmp_path: Path):
    """Lines of a batch are read before they go out, and in no part do they stand alone."""
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        await up.post("/uploads", BEGIN, key)
        seen = len(provider.seen)
        answer = await up.post(path, body, key)
        assert answer.status == status and answer.error["message"]
        assert (await part(up, key, "upload_0", b"x", name="file")).status == 400
        assert len(provider.seen) == seen


async def test_what_the_provider_refuses_is_told(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        upload = (await up.post("/uploads", BEGIN, key)).json["id"]
        provider.answers[f"/v1/uploads/{upload}/complete"] = (400, {"error": {"message": "parts are missing"}})
        answer = await up.post(f"/uploads/{upload}/complete", {"part_ids": []}, key)
        assert answer.status == 400
        assert (await up.get("/files", key)).json["data"] == []
