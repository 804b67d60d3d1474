"""Tell the whole story of one request: what was asked, who was considered, what was tried, what it cost.

REQUEST is the id in the header `x-suffice-request-id`, the beginning of one, or `last`.
"""

from __future__ import annotations

import argparse
import shutil
from typing import TYPE_CHECKING

import msgspec

from suffice.cli.command import Exit, Io
from suffice.cli.workspace import configured, folder_of, opened
from suffice.errors import NotFoundError, SufficeError

if TYPE_CHECKING:
    from suffice.ledger.queries import Story


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("request", metavar="REQUEST", help="request id, its beginning, or `last`")


def run(args: argparse.Namespace, io: Io) -> int:
    """Find the request and show it."""
    from suffice.cli.explain_view import render
    from suffice.ledger import queries, report

    with opened(io, folder_of(configured(args, io), io)) as database, database.reader() as session:
        recent = queries.recent_requests(session, 200)
        wanted = args.request
        if wanted == "last" and recent:
            wanted = recent[0]
        story = queries.story(session, wanted)
        if not story.found and len(wanted) >= 4:
            fitting = [name for name in recent if name.startswith(wanted)]
            story = queries.story(session, fitting[0]) if len(fitting) == 1 else story
    if not story.found:
        shown = ", ".join(recent[:5])
        hint = f"the last ones: {shown}" if shown else "no request is recorded yet"
        raise NotFoundError(f"no request {args.request[:64]!r} is recorded", hint=hint)
    width = shutil.get_terminal_size((100, 24)).columns
    for line in render(story, width):
        io.out.say(line)
    again = _asked_again(story, args, io)
    for line in again:
        io.out.say(f"  {line}" if line is not again[0] else f"\n{line}")
    if io.out.json_mode:
        data = msgspec.to_builtins(story)
        more = {"charged_nano_usd": story.charged, "saved_nano_usd": report.saving(story), "asked_again": list(again)}
        io.out.result({**data, **more})
    return Exit.OK


def _asked_again(story: Story, args: argparse.Namespace, io: Io) -> tuple[str, ...]:
    """Return what the present configuration makes of the same question; nothing where it has no endpoint that could answer it."""
    from suffice.cli.policy_command import state_of
    from suffice.gateway.what_if import what_if

    if story.decision is None or "pinned" in story.decision.signals:
        return ()
    try:
        return what_if(story.decision, state_of(configured(args, io), io))
    except SufficeError as error:
        return (f"cannot be asked again: {error}",)
