"""Files pinned to a provider: what goes out, who sees what, on real sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.running import gateway
from tests.gateway.shelf_provider import form, line, settings, shelf, shelved, upload

from suffice.wire import multipart


async def test_a_file_is_kept_listed_read_and_deleted(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        made = await upload(up, key, b"\x00\xffdata", "user_data")
        assert (made.status, made.json["id"], made.headers["x-suffice-endpoint"]) == (200, "file-0", "one")
        method, path, headers, body = provider.seen[0]
        assert (method, path, headers["authorization"]) == ("POST", "/v1/files", "Bearer key-of-ours-1234")
        assert body == form(b"\x00\xffdata", "user_data")[0]
        listed = (await up.get("/files?purpose=user_data", key)).json
        assert [row["id"] for row in listed["data"]] == ["file-0"]
        assert (await up.get("/files?purpose=batch", key)).json["data"] == []
        assert (await up.get("/files/file-0", key)).json["bytes"] == 6
        content = await up.get("/files/file-0/content", key)
        assert (content.body, content.headers["content-type"]) == (b"\x00\xffdata", "application/octet-stream")
        deleted = await up.client.delete(f"{up.base_url}/files/file-0", headers=key)
        assert deleted.json()["deleted"] is True
        assert (await up.get("/files/file-0", key)).status == 404
        assert (await up.get("/files", key)).json["data"] == []


async def test_a_key_sees_its_own_files_only(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        mine, other = await up.key(owner="a"), await up.key(owner="b")
        await upload(up, mine, b"x", "user_data")
        for path in ("/files/file-0", "/files/file-0/content", "/files/file-99"):
            assert (await up.get(path, other)).status == 404
        assert (await up.client.delete(f"{up.base_url}/files/file-0", headers=other)).status_code == 404
        assert (await up.get("/files", other)).json["data"] == []
        assert len(provider.seen) == 1
        assert (await up.get("/files", {})).status == 401


async def test_the_mapping_outlives_the_gateway(tmp_path: Path):
    async with shelf() as provider:
        async with gateway(settings(provider.base_url), tmp_path) as up:
            key = await up.key(owner="a")
            await upload(up, key, b"x", "user_data")
        async with gateway(settings(provider.base_url), tmp_path) as up:
            assert (await up.get("/files/file-0", key)).status == 200


async def test_the_lines_of_a_batch_are_read_before_they_go_out(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        assert (await upload(up, key, f"{line('openai/m')}\n\n{line('m')}\n".encode())).status == 200
        parts = multipart.parse(provider.seen[0][2]["content-type"], provider.seen[0][3])
        sent = [json.loads(row) for row in parts[1].data.splitlines()]
        assert [row["body"]["model"] for row in sent] == ["m", "m"]
        assert parts[1].filename == "in.jsonl"
        for bad, code in (
            (b"{nope", "invalid_batch_file"),
            (b'{"body":{}}', "invalid_batch_file"),
            (b"\n", "invalid_batch_file"),
        ):
            refused = await upload(up, key, bad)
            assert (refused.status, refused.error["code"]) == (400, code)
        narrow = await up.key(owner="b", allowed_models=("openai/other",))
        assert (await upload(up, narrow, line("m").encode())).status == 403
        assert len(provider.seen) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"{}", "", 415),
        (b"{}", "multipart/form-data", 400),
        (b"--b\r\nnope", "multipart/form-data; boundary=b", 400),
        (
            b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
            400,
        ),
    ],
)
async def test_bad_forms_are_refused(body: bytes, kind: str, status: int, tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        assert (await up.post("/files", body, {"content-type": kind, **key})).status == status
        assert provider.seen == []


async def test_without_a_key_a_page_can_send_no_form_and_a_program_can(tmp_path: Path):
    async with shelved(tmp_path) as (up, _):
        assert (await upload(up, {}, b"x", "user_data")).status == 403
        assert (await upload(up, {"authorization": "Bearer none", "origin": "https://evil"}, b"x", "p")).status == 403
        assert (await upload(up, {"authorization": "Bearer none"}, b"x", "user_data")).status == 200
        assert (await up.get("/files/file-0")).status == 200


async def test_errors_of_the_provider_are_told_without_its_account(tmp_path: Path):
    async with shelved(tmp_path) as (up, provider):
        key = await up.key(owner="a")
        provider.answers["/v1/files"] = (401, {"error": {"message": "Incorrect API key key-of-ours-1234"}})
        refused = await upload(up, key, b"x", "user_data")
        assert (refused.status, refused.error["code"]) == (502, "upstream_auth")
        assert b"key-of-ours" not in refused.body
        provider.answers["/v1/files"] = (200, ["no", "file"])
        assert (await upload(up, key, b"x", "user_data")).status == 502


async def test_anthropics_clients_reach_anthropics_files(tmp_path: Path):
    async with shelf() as openai, shelf() as anthropic:
        toml = settings(openai.base_url) + settings(anthropic.base_url.removesuffix("/v1"), "two", "anthropic")
        async with gateway(toml, tmp_path) as up:
            key = await up.key(owner="a")
            version = {"anthropic-version": "2023-06-01", "anthropic-beta": "files-api-2025-04-14"}
            assert (await upload(up, key | version, b"x", "")).status == 200
            assert openai.seen == []
            assert anthropic.seen[0][2]["anthropic-beta"] == "files-api-2025-04-14"
            assert len((await up.get("/files", key | version)).json["data"]) == 1
            assert (await up.get("/files", key)).json["data"] == []


async def test_the_header_names_the_endpoint(tmp_path: Path):
    async with (
        shelf() as one,
        shelf() as two,
        gateway(settings(one.base_url) + settings(two.base_url, "two"), tmp_path) as up,
    ):
        key = await up.key(owner="a")
        made = await upload(up, key | {"x-suffice-endpoint": "two"}, b"x", "user_data")
        assert made.headers["x-suffice-endpoint"] == "two"
        assert one.seen == []
        unknown = await upload(up, key | {"x-suffice-endpoint": "three"}, b"x", "user_data")
        assert (unknown.status, unknown.error["code"]) == (400, "operation_not_served")
        await upload(up, key, b"x", "user_data")  # the same id at another endpoint
        assert (await up.get("/files/file-0", key | {"x-suffice-endpoint": "two"})).headers[
            "x-suffice-endpoint"
        ] == "two"
