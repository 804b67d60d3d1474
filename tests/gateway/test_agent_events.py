import gzip
import json
from pathlib import Path

from tests.gateway.running import Gateway, one_provider
from tests.gateway.test_outcomes import ask
from tests.telemetry.test_otlp_protobuf import metrics as otlp


def point(session: str, **said: str) -> dict[str, object]:
    pairs = [{"key": k, "value": {"stringValue": v}} for k, v in {"session.id": session, **said}.items()]
    return {"attributes": pairs, "asInt": "1", "timeUnixNano": "0"}


def metrics(name: str, *points: dict[str, object], temporality: int = 1) -> dict[str, object]:
    found = {"name": name, "sum": {"aggregationTemporality": temporality, "dataPoints": list(points)}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [found]}]}]}


async def kinds(running: Gateway, request: str) -> list[tuple[str, str]]:
    return [(o.kind, o.source) for o in (await running.story(request)).outcomes]


async def test_claude_codes_telemetry_reaches_its_requests(tmp_path: Path):
    session = {"x-claude-code-session-id": "0b8e-1"}
    async with one_provider(tmp_path) as (running, _):
        first, second = await ask(running, session), await ask(running, session, text="And another function, please.")
        decision = point("0b8e-1", tool_name="Edit", decision="accept")
        got = await running.post("/metrics", metrics("claude_code.code_edit_tool.decision", decision, decision))
        assert (got.status, got.body) == (200, b"{}")
        assert await kinds(running, first) == [] and await kinds(running, second) == [("accepted", "claude-code")]
        for _ in range(2):
            got = await running.post("/metrics", metrics("claude_code.commit.count", point("0b8e-1"), point("other")))
            assert got.body == b"{}"
        assert await kinds(running, first) == [("committed", "claude-code")]
        assert len(await kinds(running, second)) == 2


async def test_codexs_events_reach_its_requests(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request = await ask(running, {"session_id": "c-1"})
        pairs = {
            "event.name": "codex.tool_decision",
            "conversation.id": "c-1",
            "tool_name": "apply_patch",
            "decision": "denied",
            "source": "User",
        }
        record = {"attributes": [{"key": k, "value": {"stringValue": v}} for k, v in pairs.items()]}
        got = await running.post("/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
        assert got.body == b"{}" and await kinds(running, request) == [("rejected", "codex")]


async def test_answers_are_those_of_otlp(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        other = await running.post("/metrics", b"a=1", {"content-type": "text/plain"})
        assert other.status == 415 and "OTEL_EXPORTER_OTLP_PROTOCOL=http/json" in other.json["message"]
        broken = await running.post("/logs", b"{")
        assert (broken.status, broken.json["code"]) == (400, 3)
        refused = await running.post("/metrics", metrics("claude_code.commit.count", point("s"), temporality=2))
        assert refused.status == 200
        assert json.loads(refused.body)["partialSuccess"]["rejectedDataPoints"] == "1"
        await running.key(owner="ann")
        locked = await running.post("/metrics", {})
        assert (locked.status, locked.json["code"]) == (401, 16)


PROTOBUF = {"content-type": "application/x-protobuf"}


async def test_protobuf_and_gzip_are_read_too(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request = await ask(running, {"x-claude-code-session-id": "0b8e-1"})
        body = otlp("claude_code.commit.count", **{"session.id": "0b8e-1"})
        for sent, headers in ((body, PROTOBUF), (gzip.compress(body), {**PROTOBUF, "content-encoding": "gzip"})):
            got = await running.post("/metrics", sent, headers)
            assert (got.status, got.body, got.headers["content-type"]) == (200, b"", "application/x-protobuf")
        assert await kinds(running, request) == [("committed", "claude-code")]
        cumulative = await running.post("/metrics", otlp("claude_code.commit.count", temporality=2), PROTOBUF)
        assert cumulative.status == 200 and b"DELTA" in cumulative.body.upper()
        text = json.dumps(metrics("claude_code.pull_request.count", point("0b8e-1"))).encode()
        zipped = await running.post("/metrics", gzip.compress(text), {"content-encoding": "gzip"})
        assert (zipped.status, zipped.body) == (200, b"{}")
        assert ("pull_request", "claude-code") in await kinds(running, request)


async def test_what_does_not_inflate_is_refused(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        zipped = {**PROTOBUF, "content-encoding": "gzip"}
        said = [(await running.post("/logs", body, zipped)).status for body in (b"no gzip", gzip.compress(b"x")[:-4])]
        assert said == [400, 400]
        assert (await running.post("/logs", b"{}", {"content-encoding": "br"})).status == 415
        chat = await running.post("/chat/completions", gzip.compress(b"{}"), {"content-encoding": "gzip"})
        assert chat.status == 415
