"""The tests that the official Python SDKs carry in their source distributions, for the endpoints that the gateway serves."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from tests.conformance.installing import Absent, Place
from tests.conformance.outcome import FAILED, PASSED, SKIPPED, Outcome, Row
from tests.conformance.subject import DIALECTS, Subject, subject

_SUITE_S = 400
PLUGIN = Path(__file__).with_name("plugin")
# Test files, the tests in them that are of other endpoints, and why those are not served.
FILES = {
    "openai": [
        "chat/test_completions.py",
        "test_completions.py",
        "test_embeddings.py",
        "test_models.py",
        "test_responses.py",
        "responses",
    ],
    "anthropic": ["test_messages.py", "test_models.py", "beta/test_messages.py", "beta/test_models.py"],
}
OTHER_ENDPOINTS = {
    "openai": {
        "stored chat completions are not kept by the gateway": (
            "api_resources.chat.test_completions",
            ("_retrieve", "_update", "_list", "_delete"),
        ),
        "a gateway's client cannot delete models": ("api_resources.test_models", ("_delete",)),
    },
    "anthropic": {},
}
# Models of services that only OpenAI-like providers have: legacy completions and embeddings.
PLAIN = {"gpt-3.5-turbo-instruct", "text-embedding-3-small"}
_ROOTS = {"openai": "/v1", "anthropic": ""}


def names(place: Place, sdk: str, dialect: str) -> dict[str, str]:
    """Return every model name that the tests ask for -> `dialect`, the provider dialect that shall answer. Raises Absent."""
    folder = place.sdk_tests(sdk)
    texts = [p.read_text() for p in sorted((folder / "tests" / "api_resources").rglob("*.py"))]
    texts += [p.read_text() for p in sorted(folder.glob("src/*/resources/messages/messages.py"))]
    found = {a or b for text in texts for a, b in re.findall(r'\bmodel(?:_id)?="([^"/]+)"|"(claude-[^"/]+)"', text)}
    return dict.fromkeys(sorted({*found, "string"}), dialect) | dict.fromkeys(PLAIN & found, "chat")


def sdk_tests(place: Place, sdk: str) -> list[Outcome]:
    """Run the tests of one SDK, once over each provider dialect: they ask for fixed models, so each is a gateway of its own."""
    found = []
    for provider in DIALECTS:
        try:
            wanted = names(place, sdk, provider)
        except Absent as error:
            return [Outcome(suite=_suite(sdk), version=place.version(sdk), absent=str(error))]
        with tempfile.TemporaryDirectory() as folder, subject(Path(folder), wanted) as under:
            found.append(_once(place, under, sdk, provider))
    return found


def _suite(sdk: str) -> str:
    return f"tests of the {sdk} SDK"


def _once(place: Place, under: Subject, sdk: str, provider: str) -> Outcome:
    suite, version, against = _suite(sdk), place.version(sdk), f"{provider} provider"
    folder = place.sdk_tests(sdk)
    report = place.folder / f"{sdk}.xml"
    report.unlink(missing_ok=True)
    argv = [str(place.python), "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-o", "addopts=--tb=line"]
    argv += ["--junitxml", str(report), *(["-p", "placeholders"] if sdk == "openai" else [])]
    argv += [f"tests/api_resources/{name}" for name in FILES[sdk]]
    env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
    env |= {"TEST_API_BASE_URL": under.url + _ROOTS[sdk], "PYTHONPATH": str(PLUGIN)}
    try:
        done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=_SUITE_S, check=False)
        rows, left_out = read(report.read_text(), OTHER_ENDPOINTS[sdk])
    except subprocess.TimeoutExpired:
        return Outcome(suite=suite, version=version, against=against, absent=f"took longer than {_SUITE_S} s")
    except (OSError, ElementTree.ParseError):
        return Outcome(
            suite=suite,
            version=version,
            against=against,
            absent=" ".join((done.stdout or done.stderr).splitlines()[-3:]),
        )
    return Outcome(suite=suite, version=version, against=against, rows=rows, left_out=left_out)


def read(report: str, others: dict[str, tuple[str, tuple[str, ...]]]) -> tuple[tuple[Row, ...], Counter[str]]:
    """Return the rows of a JUnit report, and how many tests are of endpoints in `others`, by reason; those are no rows."""
    rows, left_out = [], Counter[str]()
    for case in ElementTree.fromstring(report).iter("testcase"):
        where, name = case.get("classname", ""), case.get("name", "")
        other = next(
            (
                why
                for why, (module, endings) in others.items()
                if module in where and re.sub(r"(_with_all_params|_overload_\d+)*(\[.*)?$", "", name).endswith(endings)
            ),
            "",
        )
        result, why = PASSED, ""
        for child in case:
            if child.tag in ("failure", "error", "skipped"):
                result = SKIPPED if child.tag == "skipped" else FAILED
                why = (child.get("message") or "").replace("\n", " ")[:300]
        if other:
            left_out[other] += 1
            continue
        rows.append(Row(name=f"{where.removeprefix('tests.api_resources.')}.{name}", result=result, why=why))
    return tuple(rows), left_out
