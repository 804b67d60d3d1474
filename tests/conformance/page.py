"""The docs page of the last runs, written from their results and from nothing else."""

from __future__ import annotations

from typing import Any

_HEAD = """# Conformance

Published suites of others, run against `suffice serve` with a scripted provider behind it, over every dialect of a provider. Written
by `{command}` from [results/conformance.json](results/conformance.json); never by hand.

    make test-conformance                              # installs pinned, hash-checked suites into .conformance/ and runs them
    make test-conformance OPEN_RESPONSES=folder        # a clone of the Open Responses repository, where its address cannot be reached
    make test-conformance ARGS="--only llm-comply"     # one suite; it replaces its own rows below

The suites' code is not part of this repository. The scripted provider does what a request asks of a model (it calls the tool,
fills the schema, counts, thinks: `suffice.testing.cooperative`); everything else is the gateway's work. Tests of endpoints that
the gateway does not serve are left out and counted. The SDKs' own tests were written for a mock that knows every id and needs no
model: an id is replaced by one that exists, a missing model is filled in (`tests/conformance/plugin`).

| suite | version | behind the gateway | passed | of | not run, and why |
|---|---|---|---|---|---|
"""


def page(told: dict[str, Any]) -> str:
    """Return the page for the contents of the results file."""
    table, faults = [], []
    for each in (row for rows in told["suites"].values() for row in rows):
        notes = [f"{count} left out: {why}" for why, count in each.get("left_out", {}).items()]
        if "absent" in each:
            notes = [f"did not run: {each['absent']}"]
        if each.get("skipped"):
            notes.insert(0, f"{each['skipped']} skipped")
        passed, of = each.get("passed", "-"), each.get("tests", "-")
        table.append(
            f"| {each['suite']} | {each['version']} | {each['against']} | {passed} | {of} | {'; '.join(notes)} |"
        )
        name = f"{each['suite']}, {each['against']}"
        faults += [f"- {name}: `{r['name']}` {r['result']}: {r['why'][:160]}" for r in each.get("not_passed", [])]
    tail = ["", "## What did not pass", "", *(faults or ["Nothing."]), ""]
    return _HEAD.format(command=told["command"]) + "\n".join([*table, *tail])
