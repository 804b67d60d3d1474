"""Connect Suffice with what is around it: `suffice connect repo` adds a git hook that reports commits.

The hook links each commit with the requests since the commit before (docs/outcomes.md says how sure that is). It runs in the
background and never stops a commit. The command also prints steps for CI that report tests and merges.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from suffice.cli.command import Exit, Io
from suffice.cli.gateway_client import base_url


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only a repository has; the address is the one of every `connect`."""
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help="with repo: the repository (default: here)")
    parser.add_argument("--remove", action="store_true", help="with repo: take the hook out again")
    parser.add_argument(
        "--print", action="store_true", dest="show", help="with repo: show the hook's lines, change nothing"
    )


def run(args: argparse.Namespace, io: Io) -> int:
    """Install, remove or show."""
    from suffice.cli import repo_hook

    folder = io.working / Path(args.folder or ".")
    if args.remove:
        done = repo_hook.remove(folder)
        io.out.result({"hook": str(done.path), "became": done.became})
        io.out.say(f"{done.path}: {done.became if done.became == 'removed' else 'holds nothing of ours'}")
        return Exit.OK
    url = base_url(args, io) + "/v1"
    if args.show:
        io.out.result({"block": repo_hook.block(url)})
        io.out.say(repo_hook.block(url).rstrip())
        return Exit.OK
    done = repo_hook.install(folder, url)
    snippet = repo_hook.CI_SNIPPET.format(url=url)
    io.out.result({"hook": str(done.path), "became": done.became, "ci": snippet})
    io.out.say(f"{done.path}: {done.became}")
    io.out.say("With keys, whoever commits needs SUFFICE_KEY in the environment.")
    io.out.say()
    io.out.say(snippet.rstrip())
    return Exit.OK
