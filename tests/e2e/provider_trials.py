"""Goes through every provider of the catalogue: one gateway, one scripted server in place of all of them, real sockets.

Run as a program it writes docs/results/providers.json: `python -m tests.e2e.provider_trials`. What it shows is that the request
which the provider's documentation asks for goes out and that its answer is read and booked; no real service is called.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace
from tests.e2e import recordings
from tests.e2e.clients import Chat, Messages
from tests.e2e.clients_more import Gemini, Responses
from tests.e2e.provider_table import TABLE, Row
from tests.e2e.test_own_recordings import SAID
from tests.gateway.running import Gateway, gateway
from tests.gateway.test_fim_routes import STYLES

from suffice.catalog.load import load as load_catalog
from suffice.catalog.providers import Provider
from suffice.config.load import parse
from suffice.gateway import fleet
from suffice.gateway.fleet import Served
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, ToolCall, Usage
from suffice.testing.server import Request

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "providers.json"
CLIENTS: dict[str, Any] = {client.name: client for client in (Chat(), Messages(), Responses(), Gemini())}
TODAY = "2026-11-22"
AWS = {"AWS_ID": "AKIDEXAMPLE00000", "AWS_TOKEN": "not-a-real-session"}
PRICE = "{ input_usd_per_mtok = 1, output_usd_per_mtok = 10, cache_read_usd_per_mtok = 0.1 }"
PROMPT, CACHED, TEXT, THOUGHT = 100, 40, "Sunny in both.", "Hm, look"
OUTPUT = 6  # four characters each
COST_NANO = (PROMPT - CACHED) * 1000 + CACHED * 100 + OUTPUT * 10_000
REFUSAL = "account 123456789012 of acme@example.com is not allowed"


def key_of(provider: str) -> str:
    """Return the made-up key of a provider; each has its own, so that none can arrive elsewhere unseen."""
    return f"key-of-ours-{provider}"


@dataclass
class Trial:
    """One provider in one of its dialects: `passed` names what held, in the order of the trial."""

    provider: str
    dialect: str
    model: str
    clients: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def check(self, name: str, held: bool, seen: object = "") -> None:
        """Note whether something held."""
        if not held:
            self.failed.append(f"{self.provider}/{self.dialect}: {name}: {seen!r}")
        elif name not in self.passed:
            self.passed.append(name)


def address(trial: Trial, row: Row, served: Served) -> None:
    """Compare where a call would go, with nothing in the configuration but what the provider wants, with the table."""
    speech = next(s for s in served.speech.values() if s.dialect == trial.dialect)
    scheme = "https" if speech.endpoint.tls else "http"
    found = f"{scheme}://{speech.endpoint.authority}{speech.path.decode()}"
    trial.check("address", found == _filled(row.urls[trial.dialect], row, trial.model), found)


def _filled(url: str, row: Row, model: str) -> str:
    return url.replace("{model}", quote(model, safe="" if row.auth == "sigv4" else "@"))


def settings(fake_url: str) -> Iterator[str]:
    """Yield the configuration of one endpoint for each provider, all of which lead to the scripted server."""
    host = fake_url.removesuffix("/v1")
    for provider, row in TABLE.items():
        models = sorted({row.models.get(dialect, "m") for dialect in row.urls})
        yield f'[endpoints."{provider}"]\nprovider = "{provider}"\nprivate = true\nbase_url = "{host}{row.base}"'
        yield row.settings.replace("${KEY}", "${" + _variable(provider) + "}") + f"\nmodels = {json.dumps(models)}"
        yield f'[endpoints."{provider}".prices]\n' + "\n".join(f'"{model}" = {PRICE}' for model in models)
        for model in models:
            yield f'[models."{provider}/{model}"]\ncapabilities = ["tools", "structured", "reasoning"]'


def _variable(provider: str) -> str:
    return "KEY_" + provider.upper().replace("-", "_")


def plain_settings() -> str:
    """Return the smallest configuration of every provider, at its own address."""
    rows = ["version = 1"]
    for provider, row in TABLE.items():
        models = sorted({row.models.get(dialect, "m") for dialect in row.urls})
        rows.append(f'[endpoints."{provider}"]\nprovider = "{provider}"\n{row.settings}\nmodels = {json.dumps(models)}')
    return "\n".join(rows)


async def trials(folder: Path) -> list[Trial]:
    """Try every provider in every dialect in which it is spoken to."""
    env = {**AWS, **{_variable(p): key_of(p) for p in TABLE}}
    plain = fleet.build(parse(plain_settings(), "t.toml", {**AWS, "KEY": "k" * 20}, None), load_catalog(), TODAY)
    done: list[Trial] = []
    async with FakeProvider() as fake, gateway("\n".join(settings(fake.base_url)), folder, env) as running:
        for provider, row in TABLE.items():
            for dialect in row.urls:
                model = row.models.get(dialect, "m")
                trial = Trial(provider, dialect, model)
                done.append(trial)
                at_home = plain.find(f"{provider}/{model}")[0]
                address(trial, row, at_home)
                speech = running.runtime.state.fleet.find(f"{provider}/{model}")[0].speech
                trial.clients = [name for name in CLIENTS if speech[name].dialect == dialect]
                trial.check("spoken", bool(trial.clients))
                for client in trial.clients:
                    for stream in (False, True):
                        await _text(trial, row, running, fake, client, stream)
                if trial.clients:
                    await _tools(trial, running, fake, trial.clients[0])
                    if dialect == "chat":
                        await _fitted(trial, row, running, fake)
                    await _refused(trial, running, fake, trial.clients[0])
    return done


async def _asked(
    trial: Trial, running: Gateway, fake: FakeProvider, client: str, scenario: str, stream: bool
) -> tuple[Any, Request]:
    speaker, wanted = CLIENTS[client], f"{trial.provider}/{trial.model}"
    fake.requests.clear()
    if client == "gemini":
        path = f"v1beta/models/{wanted}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")
    else:
        path = speaker.path
    body = speaker.body(scenario, stream)
    answer = await running.post(path, body if client == "gemini" else body | {"model": wanted})
    if not fake.requests:
        raise AssertionError(f"{wanted}: nothing was sent for {client}: {answer.body!r}")
    return speaker.told(answer), fake.requests[0]


async def _text(trial: Trial, row: Row, running: Gateway, fake: FakeProvider, client: str, stream: bool) -> None:
    usage = Usage(shape=row.usage, where=row.where)  # type: ignore[arg-type]
    said = Behaviour(text=TEXT, reasoning=THOUGHT, prompt_tokens=PROMPT, cached_tokens=CACHED, usage=usage)
    fake.set_script(replace(said, reasoning_field=row.thinks))
    told, request = await _asked(trial, running, fake, client, "text", stream)
    name = f"{client} {'stream' if stream else 'whole'}"
    trial.check(name, (told.status, told.text, told.ended) == (200, TEXT, True), told.answer)
    path = _filled(row.urls[trial.dialect], row, trial.model).partition("://")[2].partition("/")[2]
    streams = {":generateContent": ":streamGenerateContent", ":rawPredict": ":streamRawPredict"}
    streams |= {"/converse": "/converse-stream", "/invoke": "/invoke-with-response-stream"}
    for end, other in streams.items():
        if stream and path.endswith(end):
            path = path.removesuffix(end) + other
    trial.check("path", request.path == "/" + path, request.path)
    trial.check("credential", *_credential(trial, row, request))
    (found,) = await running.rows(told.answer)
    counted = found.detail.result.usage
    buckets = (counted.input_tokens, counted.cache_read_tokens, counted.completion_tokens)
    trial.check("usage", buckets == (PROMPT - CACHED, CACHED, OUTPUT), counted)
    trial.check("cost", (found.row.charge_class, found.row.charge_nano) == ("exact", COST_NANO), found.row)


def _credential(trial: Trial, row: Row, request: Request) -> tuple[bool, object]:
    """Tell whether the request brought this provider's key, in its header, and no other key."""
    names = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token")
    sent = {name: value for name in names if (value := request.header(name))}
    shown = {name: value[:40] for name, value in sent.items()}
    if row.auth == "none":
        return not sent, shown
    if row.auth == "sigv4":
        signed = sent.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE00000/")
        return signed and sent.keys() == {"authorization", "x-amz-security-token"}, shown
    if row.auth == "bearer" or (trial.dialect == "chat" and row.auth == "x-goog-api-key"):
        return sent == {"authorization": f"Bearer {key_of(trial.provider)}"}, shown
    return sent == {row.auth: key_of(trial.provider)}, shown


async def _tools(trial: Trial, running: Gateway, fake: FakeProvider, client: str) -> None:
    call = ToolCall(name="weather", arguments='{"city":"Oslo"}')
    fake.set_script(Behaviour(text="", tool_calls=(call,)))
    told, request = await _asked(trial, running, fake, client, "tools", True)
    trial.check("tools", told.calls == [("weather", {"city": "Oslo"})], told.answer)
    trial.check("tools", b"city" in request.body)


ODD: dict[str, Any] = {
    "max_completion_tokens": 77,
    "seed": 5,
    "user": "u",
    "logit_bias": {"1": 2},
    "stream_options": {"include_usage": True},
    "stream": True,
    "tools": [
        {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    ],
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "And in Rome?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_of-another_provider",
                    "type": "function",
                    "function": {"name": "weather", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_of-another_provider", "content": "Rain."},
    ],
}


async def _fitted(trial: Trial, row: Row, running: Gateway, fake: FakeProvider) -> None:
    """Send what clients of OpenAI's newest models send, and look at what this provider gets of it."""
    fake.requests.clear()
    fake.set_script(Behaviour(text=TEXT, usage=Usage(shape=row.usage, where=row.where)))  # type: ignore[arg-type]
    answer = await running.post("/chat/completions", ODD | {"model": f"{trial.provider}/{trial.model}"})
    told, got = CLIENTS["chat"].told(answer), fake.requests[0].parsed or {}
    trial.check("fitted", (told.status, told.text) == (200, TEXT), answer)
    trial.check("fitted", row.without == tuple(name for name in row.without if name not in got), got)
    limits = {name: got[name] for name in ("max_tokens", "max_completion_tokens") if name in got}
    wanted = [row.limit] if row.limit != "either" else ["max_tokens", "max_completion_tokens"]
    trial.check("fitted", any(limits == {name: 77} for name in wanted), limits)
    trial.check("fitted", got.get(row.seed) == 5, got)
    trial.check("fitted", got["messages"][0]["role"] == ("developer" if row.developer else "system"), got["messages"])
    call, result = got["messages"][2]["tool_calls"][0]["id"], got["messages"][3]["tool_call_id"]
    trial.check(
        "fitted", call == result and re.fullmatch(row.ids or "call_of-another_provider", call) is not None, call
    )
    trial.check("fitted", not row.ids or got["messages"][3].get("name") == "weather", got["messages"])
    left_out = {f"dropped={name}" for name in ("user", "logit_bias") if name in row.without}
    trial.check("fitted", left_out <= set(answer.headers.get("x-suffice-losses", "").split(", ")), answer.headers)


async def _refused(trial: Trial, running: Gateway, fake: FakeProvider, client: str) -> None:
    fake.set_script(Behaviour(status=401, error=Error(message=REFUSAL, type="authentication_error")))
    told, _ = await _asked(trial, running, fake, client, "text", False)
    hidden = b"123456789012" not in told.answer.body and b"acme@" not in told.answer.body
    trial.check("refusal is ours", told.status == 502 and hidden, told.answer)
    running.runtime.health.register(
        trial.provider, vendor=trial.provider, host=trial.provider, credential=f"{trial.dialect}"
    )


# Facts of providers that other tests try: fill in the middle in each style (tests/gateway/test_fim_routes.py), and batches of both forms
# (tests/gateway/test_batches.py, test_message_batches.py).
ELSEWHERE = {
    "fill in the middle": {provider for style, (provider, *_) in STYLES.items() if style not in ("chat", "messages")},
    "batch": {"openai", "anthropic"},
}


def results(done: list[Trial]) -> dict[str, Any]:
    """Return what is written down: by provider and dialect, what held and what was only read."""
    catalog = load_catalog()
    rows: dict[str, Any] = {}
    written = Counter(said["provider"] for said in SAID.values())
    for trial in done:
        row = rows.setdefault(trial.provider, {"tried": {}, **_read(catalog.provider(trial.provider))})
        row["written"] = written[trial.provider]
        row["tried"][trial.dialect] = {"clients": trial.clients, "held": trial.passed}
    return rows


def recorded() -> dict[str, int]:
    """Return how many recorded answers of each provider are replayed; what was written before when they are not here."""
    if recordings.ARCHIVE is None:
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        return {provider: row["recorded"] for provider, row in rows.items() if row.get("recorded")}
    return Counter(recording.provider for recording in recordings.load())


def _read(provider: Provider | None) -> dict[str, Any]:
    assert provider is not None
    facts = {
        "prices": True,
        "prompt cache": provider.cache.mode not in ("unknown", "none"),
        "batch": provider.batch is not None,
        "fill in the middle": provider.fim is not None,
        "rate-limit headers": bool(provider.rate_limit_headers),
        "attributes": bool(provider.attributes),
        "error codes": True,
    }
    also = [fact for fact, tried in ELSEWHERE.items() if facts[fact] and provider.id in tried]
    read = [fact for fact, held in facts.items() if held and fact not in also]
    return {"name": provider.name, "retired_at": provider.retired_at, "also": also, "read": read}


def main() -> int:
    """Try all and write the results; 1 when something did not hold."""
    with tempfile.TemporaryDirectory() as folder:
        done = asyncio.run(trials(Path(folder)))
    failed = [line for trial in done for line in trial.failed]
    print("\n".join(failed) or f"{len(TABLE)} providers, {len(done)} pairs of provider and dialect: all held")
    if not failed:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        rows, counts = results(done), recorded()
        for provider, row in rows.items():
            row["recorded"] = counts.get(provider, 0)
        RESULTS.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
