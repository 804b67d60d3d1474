"""Every library that is driven: which lock it comes from, which program asks it, and the scripted model that answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from tests.clients.driving import OFFLINE, Stand, bounded
from tests.clients.install import bins_of, folder_of
from tests.clients.results import version_of
from tests.clients.script import ASIDE, FINAL, Model, done_of, tools_of
from tests.clients.tap import tapped

from suffice.testing import presets
from suffice.testing.script import Behaviour, Call, Frames, ToolCall

HERE = Path(__file__).parent
CITY = {"city": "Oslo"}
BOTH = [CITY, {"city": "Bergen"}]
OUR_OWN = "dev"  # Not a lock of ours: what requirements/dev.txt names is in the environment of the tests.
FRAMEWORKS = "frameworks"
SCRIPTS = {"sdk-node": "node/sdk.mjs", OUR_OWN: "python/sdks.py", FRAMEWORKS: "python/frameworks.py"}
LIMIT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Library:
    """One library in one dialect, of the package set `lock`. `name` is what `script` calls it, `package` gives the version that is told."""

    name: str
    client: str
    package: str
    dialect: str
    lock: str

    @property
    def script(self) -> str:
        """The program that asks it."""
        return SCRIPTS[self.lock]

    @property
    def fast(self) -> bool:
        """Whether it takes part in `make test`."""
        return self.lock != FRAMEWORKS

    @property
    def version(self) -> str:
        """The pinned version."""
        if self.lock == OUR_OWN:
            from importlib.metadata import version

            return version(self.package)
        return version_of(self.lock, self.package)

    @property
    def needs(self) -> tuple[str, ...]:
        """The package sets to install."""
        return () if self.lock == OUR_OWN else ("node", self.lock) if self.script.endswith(".mjs") else (self.lock,)


def _node(name: str, client: str, package: str, dialect: str) -> Library:
    return Library(name=name, client=client, package=package, dialect=dialect, lock="sdk-node")


def _ours(name: str, client: str, package: str, dialect: str) -> Library:
    return Library(name=name, client=client, package=package, dialect=dialect, lock=OUR_OWN)


def _framework(name: str, package: str, dialect: str) -> Library:
    client = package.removesuffix("-slim")
    return Library(name=f"{name}-{dialect}", client=client, package=package, dialect=dialect, lock=FRAMEWORKS)


LIBRARIES: tuple[Library, ...] = (
    _node("openai-chat", "openai-node", "openai", "chat"),
    _node("openai-responses", "openai-node", "openai", "responses"),
    _node("anthropic", "anthropic-node", "@anthropic-ai/sdk", "messages"),
    _node("google", "google-genai-node", "@google/genai", "gemini"),
    *(_node(f"ai-{d}", "vercel-ai-sdk", "ai", d) for d in ("chat", "responses", "messages", "gemini")),
    _ours("openai-python-chat", "openai-python", "openai", "chat"),
    _ours("openai-python-responses", "openai-python", "openai", "responses"),
    _ours("anthropic-python", "anthropic-python", "anthropic", "messages"),
    _ours("google-genai-python", "google-genai-python", "google-genai", "gemini"),
    _framework("langchain", "langchain-openai", "chat"),
    _framework("langchain", "langchain-openai", "responses"),
    _framework("langchain", "langchain-anthropic", "messages"),
    _framework("langchain", "langchain-google-genai", "gemini"),
    *(_framework("pydantic-ai", "pydantic-ai-slim", d) for d in ("chat", "responses", "messages", "gemini")),
)


class Answers(Model):
    """The scripted model: one call of the tool or two at once and a last text, a structured answer, a refusal."""

    def __init__(self) -> None:
        super().__init__((_weather(CITY),))

    def __call__(self, index: int, call: Call) -> Behaviour:
        """Choose an answer by the words that stand in the request."""
        offered = tools_of(call.parsed or {})
        if b"please fail" in call.body:
            return presets.invalid()
        if b"please structure" in call.body:
            # By a tool, where the library or the gateway makes one of the form that is wanted.
            made = tuple(ToolCall(name=name, arguments=json.dumps(CITY)) for name in offered)
            return Behaviour(text="", tool_calls=made) if made else Behaviour(text=json.dumps(CITY))
        if b"please both" in call.body:
            done = done_of(call.parsed or {})
            calls = tuple(_weather(city) for city in BOTH)
            return (
                Behaviour(text="", tool_calls=calls) if not done else Behaviour(text=FINAL if done == 2 else "lost one")
            )
        said = super().__call__(index, call)
        # Proxies put events of their own into streams. A text is the first thing that is asked for.
        return said if said.tool_calls else replace(said, frames=Frames(unknown_event=True))


def _weather(arguments: dict[str, str]) -> ToolCall:
    return ToolCall(name="weather", arguments=json.dumps(arguments))


def faults_of(told: dict[str, Any]) -> dict[str, str]:
    """Return, for each thing that was asked, what is wrong with what the library told; "" when nothing is."""
    wanted: dict[str, Any] = {
        "tools": {"inputs": [CITY], "final": FINAL},
        "parallel": {"inputs": BOTH, "final": FINAL},
        "structured": CITY,
    }
    faults = {ask: "" if told.get(ask) == right else str(told.get(ask)) for ask, right in wanted.items()}
    for ask in ("text", "whole"):
        said = told.get(ask) or {}
        faults[ask] = "" if said.get("text") == ASIDE and (said.get("output") or 0) > 0 else str(said)
    faults["error"] = "" if (told.get("error") or {}).get("status") == 400 else str(told.get("error"))
    return faults


async def run(
    lock: str, script: str, running: Stand, folder: Path, *arguments: str
) -> tuple[int | None, Any, list[str]]:
    """Run a driver with the packages of `lock`; returns exit code, what it printed, and the request lines.

    `arguments` begin with the library's name; the address and the key come behind it.
    """
    source = HERE / script
    copied = None
    if script.endswith(".mjs"):
        # Node looks for packages beside the program.
        copied = folder_of(lock) / f"{os.getpid()}-{source.name}"
        shutil.copy(source, copied)
        words = ["node", str(copied)]
    else:
        python = sys.executable if lock == OUR_OWN else str(bins_of(lock)[0] / "python")
        words = [python, str(source)]
    path = os.pathsep.join([*map(str, bins_of("node")), str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**OFFLINE, "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    out = folder / "library.log"
    try:
        async with tapped(running.base) as tap:
            code = await bounded(
                [*words, arguments[0], tap.base, running.key, *arguments[1:]], env, folder, out, LIMIT_S
            )
            said = out.read_text(errors="replace")
            found = re.findall(r"^\{.*\}$", said, re.M)
            return code, json.loads(found[-1]) if found else said, tap.asked
    finally:
        if copied is not None:
            copied.unlink()
