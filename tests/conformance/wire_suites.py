"""Suites that judge the wire alone: llm-comply for four dialects, and the Open Responses compliance suite."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.conformance.installing import OPEN_RESPONSES_COMMIT, Absent, Place
from tests.conformance.outcome import FAILED, PASSED, SKIPPED, Outcome, Row
from tests.conformance.subject import DIALECTS, Subject

_SUITE_S = 120
_FORMATS = {"chat": "openai-chat", "messages": "anthropic", "responses": "open-responses", "gemini": "google-genai"}
_ROOTS = {"chat": "/v1", "messages": "/v1", "responses": "/v1", "gemini": ""}


def llm_comply(place: Place, subject: Subject) -> list[Outcome]:
    """Every client dialect over every provider dialect."""
    version = place.version("llm-comply")
    found = []
    for client in DIALECTS:
        for provider in DIALECTS:
            asked = ["--format", _FORMATS[client], "-u", subject.url + _ROOTS[client], "-k", "any"]
            argv = [str(place.bin / "llm-comply"), *asked, "-m", subject.model(client, provider), "--json"]
            against = f"{client} client, {provider} provider"
            found.append(_judged("llm-comply", version, against, argv, place.folder))
    return found


def open_responses(place: Place, subject: Subject, source: str) -> list[Outcome]:
    """The Open Responses suite over every provider dialect."""
    version = OPEN_RESPONSES_COMMIT[:12]
    try:
        bun, folder = place.bun(), place.open_responses(source)
    except Absent as error:
        return [Outcome(suite="Open Responses", version=version, absent=str(error))]
    found = []
    for provider in DIALECTS:
        asked = ["--base-url", f"{subject.url}/v1", "--api-key", "any", "--model", subject.model("responses", provider)]
        argv = [str(bun), "run", "bin/compliance-test.ts", *asked, "--json"]
        found.append(_judged("Open Responses", version, f"{provider} provider", argv, folder))
    return found


def _judged(suite: str, version: str, against: str, argv: list[str], cwd: Path) -> Outcome:
    """Run a suite that prints its results as JSON."""
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=_SUITE_S, check=False)
        told = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return Outcome(suite=suite, version=version, against=against, absent=f"no results: {error}")
    return Outcome(suite=suite, version=version, against=against, rows=rows(told))


def rows(told: dict[str, Any]) -> tuple[Row, ...]:
    """Return the rows of a suite's JSON. A warning is no failure, but it is kept as a reason."""
    known = {PASSED, FAILED, SKIPPED}
    return tuple(
        Row(
            name=str(each["id"]),
            result=each["status"] if each["status"] in known else FAILED,
            why="; ".join(str(e) for e in [*each.get("errors", []), *each.get("warnings", [])])[:600],
        )
        for each in told["results"]
    )
