"""Report what became of an answer: accepted, tests passed, merged, reverted, and so on.

TARGET is a request id (header `x-suffice-request-id`) or `last`; with --session or --commit it is one of those. The report
goes to the running gateway. `suffice outcome scan-repo [FOLDER]` reports how many lines of commits are still there.
"""

from __future__ import annotations

import argparse

from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.gateway_client import base_url, post
from suffice.config.problem import did_you_mean
from suffice.decision.evidence import EDITED, KINDS

SCAN = "scan-repo"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("target", metavar="TARGET", help=f"request id, `last`, or `{SCAN}`")
    parser.add_argument("kind", metavar="KIND", nargs="?", default="", help=f"{', '.join(KINDS)}; a folder for {SCAN}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--session", action="store_true", help="TARGET is a client's session id")
    what.add_argument("--commit", action="store_true", help="TARGET is a full commit hash")
    parser.add_argument("--distance", type=float, metavar="SHARE", help="for edited: 0 (kept) to 1 (replaced)")
    parser.add_argument("--source", default="cli", metavar="NAME", help="who says so; each counts once; default cli")
    parser.add_argument("--detail", default="", metavar="TEXT", help="a note for people, at most 1000 characters")
    parser.add_argument("--since", type=float, metavar="EPOCH_S", help="for committed: when the commit before was made")
    parser.add_argument(
        "--key", default="", metavar="KEY", help="virtual key; SUFFICE_KEY keeps it out of process lists"
    )
    parser.add_argument("--url", default="", metavar="URL", help="the gateway; default from the configuration")


def run(args: argparse.Namespace, io: Io) -> int:
    """Send the report and say what it came to."""
    url = base_url(args, io) + "/v1"
    key = args.key or io.env_vars.get("SUFFICE_KEY", "")
    if args.target == SCAN:
        from suffice.cli.repo_scan import scan

        return scan(args.kind or ".", url, key, io)
    told = post(url, "/outcomes", body(args), key)
    io.out.result(told)
    learned = f", {told['learned']} taught the model's beliefs" if told["learned"] else ""
    again = f", {told['repeated']} known before" if told["repeated"] else ""
    io.out.say(f"{told['kind']}: {told['recorded']} of {told['requests']} requests recorded{again}{learned}")
    return Exit.OK


def body(args: argparse.Namespace) -> dict[str, object]:
    """Return the report as the gateway reads it. Raises UsageError for a kind that there is not."""
    if args.kind not in KINDS:
        close = did_you_mean(args.kind, KINDS) or f"one of {', '.join(KINDS)}"
        raise UsageError(f"suffice outcome: there is no kind of outcome {args.kind!r}; {close}")
    if args.kind == EDITED and args.distance is None:
        raise UsageError("suffice outcome: edited needs --distance, from 0 (kept) to 1 (replaced)")
    field = "session" if args.session else "commit" if args.commit else "request_id"
    optional = {"distance": args.distance, "since": args.since, "detail": args.detail or None}
    told = {name: value for name, value in optional.items() if value is not None}
    return {field: args.target, "kind": args.kind, "source": args.source, **told}
