"""`make test-conformance`: install the suites, run them against `suffice serve`, print and keep the counts.

Exit code: 0 all that ran passed, 1 a test failed or a suite named in `--need` did not run, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conformance.installing import ROOT, Absent, Place
from tests.conformance.outcome import Outcome
from tests.conformance.page import page
from tests.conformance.sdk_suites import sdk_tests
from tests.conformance.specification import explored
from tests.conformance.subject import Subject, subject
from tests.conformance.wire_suites import llm_comply, open_responses

PAGE = ROOT / "docs" / "conformance.md"
RESULTS = ROOT / "docs" / "results" / "conformance.json"
MOST_SHOWN = 10
Suite = Callable[[Place, Subject, argparse.Namespace], list[Outcome]]
SUITES: dict[str, Suite] = {
    "llm-comply": lambda place, under, chosen: llm_comply(place, under),
    "open-responses": lambda place, under, chosen: open_responses(place, under, chosen.open_responses),
    "openai-sdk": lambda place, under, chosen: sdk_tests(place, "openai"),
    "anthropic-sdk": lambda place, under, chosen: sdk_tests(place, "anthropic"),
    "specifications": lambda place, under, chosen: [
        explored(place, under, owner, provider, thorough=chosen.thorough)
        for owner, provider in (
            ("OpenAI", "chat"),
            ("OpenAI", "responses"),
            ("Anthropic", "messages"),
            ("Anthropic", "chat"),
        )
    ],
}


def options(argv: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(SUITES), help="run this suite; may be repeated")
    parser.add_argument("--need", action="append", default=[], choices=list(SUITES), help="fail when it cannot run")
    parser.add_argument("--open-responses", default="", help="a git repository with the pinned commit of the suite")
    parser.add_argument("--folder", type=Path, default=ROOT / ".conformance", help="where the suites are installed")
    parser.add_argument(
        "--json", type=Path, default=RESULTS, help="the results file; a suite that runs replaces its rows there"
    )
    parser.add_argument(
        "--thorough", action="store_true", help="specifications: every boundary value too (~35,000 requests)"
    )
    parser.add_argument("--verbose", action="store_true", help="say why each test did not pass, and warnings")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run what is asked; returns the exit code."""
    chosen = options(sys.argv[1:] if argv is None else argv)
    place = Place(chosen.folder.resolve())
    place.folder.mkdir(parents=True, exist_ok=True)
    try:
        print(f"Installing the suites into {chosen.folder.name}/ (hash-checked)", flush=True)
        place.packages()
    except Absent as error:
        print(f"the suites cannot be installed: {error}", file=sys.stderr)
        return 1
    found: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder, subject(Path(folder)) as under:
        for name in chosen.only or list(SUITES):
            found[name] = SUITES[name](place, under, chosen)
            for outcome in found[name]:
                say(outcome, chosen.verbose)
            keep(chosen.json, found)
    everything = [outcome for outcomes in found.values() for outcome in outcomes]
    missing = [name for name in chosen.need if any(o.absent for o in found.get(name, []))]
    return 1 if missing or any(o.rows and not o.good for o in everything) else 0


def say(outcome: Outcome, verbose: bool) -> None:
    """Print one outcome, and the tests that did not pass."""
    print(outcome.line(), flush=True)
    told = [row for row in outcome.rows if row.result != "passed" or (verbose and row.why)]
    for row in told if verbose else told[:MOST_SHOWN]:
        print(f"    {row.result}: {row.name}: {row.why[:300]}")
    if not verbose and len(told) > MOST_SHOWN:
        print(f"    and {len(told) - MOST_SHOWN} more: --verbose")


def keep(file: Path, found: dict[str, list[Outcome]]) -> None:
    """Put what was found into the results file, in place of the same suites' earlier rows, and write the page of it."""
    told: dict[str, Any] = {"command": "make test-conformance", "suites": {}}
    if file.exists():
        told = json.loads(file.read_text())
    rows = told["suites"] | {name: [outcome.as_json() for outcome in outcomes] for name, outcomes in found.items()}
    told["suites"] = {name: rows[name] for name in SUITES if name in rows}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told, indent=1) + "\n")
    if file == RESULTS:
        PAGE.write_text(page(told))


if __name__ == "__main__":
    sys.exit(main())
