"""What is driven at all, in which versions, and what is not: to keep the table of results to it."""

from __future__ import annotations

from tests.clients.libraries import LIBRARIES, faults_of
from tests.clients.quirks import QUIRKS
from tests.clients.results import version_of
from tests.clients.roster import CASES

# Wired by `suffice connect`, and why no test drives them.
NOT_DRIVEN = {
    "zed": "it needs a screen, and no package registry has it; its requests were read in its sources",
    "llama-vim": "the plug-in is on no package registry; its request to `/infill` is tested as a request",
}


def versions() -> set[tuple[str, str]]:
    """Return the pinned (client, version) of everything that is driven."""
    agents = {(case.client, version_of(case.lock)) for case in CASES}
    return agents | {(one.client, one.version) for one in LIBRARIES} | {("continue-fim", version_of("continue-fim"))}


def whats() -> set[str]:
    """Return everything that a row may be about."""
    return {"edit", "fim", *faults_of({}), *(quirk.name for quirk in QUIRKS)}
