"""Print, write or take back the settings that point a client at this gateway.

Without a client: the list of clients. With one: the exact environment variables, files and commands. `--apply` writes the files
(JSON and TOML are added to; other files only when they do not exist yet) and, for variables, a file for the shell to read;
`--undo` restores every file byte for byte. `suffice connect repo` adds a git hook that reports commits (docs/outcomes.md).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from suffice.cli import connect_repo
from suffice.cli.client_files import ClientFiles, Refusal
from suffice.cli.client_target import NO_KEY, client_named, target_options, wiring
from suffice.cli.clients import table
from suffice.cli.clients.setting import ROUTES, Client, Setting, Wiring, exports
from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.workspace import configured
from suffice.config.environment import storage_folder

_SHELL_FILE = "~/.config/suffice/clients/{name}.sh"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "client", nargs="?", metavar="CLIENT", help="name of the client, or `repo`; without one, the list"
    )
    target_options(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--apply", action="store_true", help="write the files, keeping what they were")
    what.add_argument("--undo", action="store_true", help="restore the files that --apply wrote")
    parser.add_argument(
        "--force", action="store_true", help="with --undo: also files changed since; their present version is kept"
    )
    connect_repo.configure(parser)


def run(args: argparse.Namespace, io: Io) -> int:
    """Do it."""
    if not args.client:
        if args.apply or args.undo:
            raise UsageError("say which client: `suffice connect CLIENT --apply`")
        return _list(args, io)
    if args.client == "repo":
        if args.apply or args.undo or args.force:
            raise UsageError("a repository's hook is added by `suffice connect repo` and taken out with --remove")
        return connect_repo.run(args, io)
    if args.folder or args.remove or args.show:
        raise UsageError("a folder, --remove and --print are for `suffice connect repo`")
    client = client_named(args.client)
    if args.force and not args.undo:
        raise UsageError("--force is for --undo")
    if args.undo:
        return _undo(client, args, io)
    wired = wiring(client, args, io)
    settings = client.settings(wired)
    if args.apply:
        return _apply(client, wired, settings, args, io)
    io.out.say(f"{client.title}, speaking {wired.dialect} ({ROUTES[wired.dialect]}) to {wired.base}")
    _show(settings, io)
    _remind(wired, io)
    io.out.result(_as_dict(client, wired, settings))
    return Exit.OK


def _files(client: Client, args: argparse.Namespace, io: Io) -> ClientFiles:
    folder = storage_folder(configured(args, io), io.env_vars, io.working)
    return ClientFiles(folder / "clients", client.name)


def _list(args: argparse.Namespace, io: Io) -> int:
    rows = [(c, _files(c, args, io).applied) for c in table.CLIENTS]
    io.out.table(
        "",
        ("client", "title", "dialects", "evidence", "version", "applied"),
        [(c.name, c.title, " ".join(c.dialects), c.evidence, c.version, "yes" if on else "") for c, on in rows],
    )
    io.out.result(
        {
            "clients": [
                {"name": c.name, "title": c.title, "dialects": c.dialects, "evidence": c.evidence, "applied": on}
                for c, on in rows
            ]
        }
    )
    return Exit.OK


def _show(settings: tuple[Setting, ...], io: Io) -> None:
    lines = exports(settings)
    if lines:
        io.out.say("\nEnvironment:\n")
        io.out.say(lines.rstrip("\n"))
    for setting in settings:
        if setting.kind == "env":
            continue
        head = {"file": f"File {setting.path}", "command": "Command", "code": "In the program"}[setting.kind]
        io.out.say(f"\n{head}" + (f" ({setting.note})" if setting.note else "") + ":\n")
        io.out.say(setting.content.rstrip("\n"))


def _remind(wired: Wiring, io: Io) -> None:
    if wired.key == NO_KEY:
        io.out.note(
            "note: without --key or SUFFICE_KEY the key is a placeholder, which only a gateway without keys accepts",
            level=9 if io.out.json_mode else 0,
        )


def _as_dict(client: Client, wired: Wiring, settings: tuple[Setting, ...]) -> dict[str, object]:
    return {
        "client": client.name,
        "dialect": wired.dialect,
        "needs": ROUTES[wired.dialect],
        "url": wired.base,
        "model": wired.model,
        "evidence": client.evidence,
        "settings": [{"kind": s.kind, "path": s.path, "content": s.content, "note": s.note} for s in settings],
    }


def _place(path: str, io: Io) -> Path:
    """Return the file that `path` means for this user. Raises UsageError without HOME."""
    if not path.startswith("~/"):
        return io.working / path
    if not io.env_vars.get("HOME"):
        raise UsageError("HOME is not set, so the client's files cannot be found")
    return Path(io.env_vars["HOME"]) / path[2:]


def _file(setting: Setting, io: Io) -> Path:
    """Return the file that has to be changed for `setting` on this machine."""
    over = _place(setting.over, io) if setting.over else None
    return over if over is not None and over.exists() else _place(setting.path, io)


def _apply(client: Client, wired: Wiring, settings: tuple[Setting, ...], args: argparse.Namespace, io: Io) -> int:
    places = {_file(s, io): s for s in settings if s.kind == "file"}
    wanted = [(path, s.content) for path, s in places.items()]
    shell_file, lines = _SHELL_FILE.format(name=client.name), exports(settings)
    if lines:
        wanted.append((_place(shell_file, io), lines))
    if not wanted:
        raise UsageError(f"{client.name} has no file to write; `suffice connect {client.name}` prints what to do")
    files = _files(client, args, io)
    changes, refusals = files.plan(wanted)
    if refusals:
        parts = {path.resolve(): s.part for path, s in places.items() if s.part}
        refusals = [replace(one, text=parts.get(one.path, one.text)) for one in refusals]
        return _refused(client, refusals, io)
    written = files.apply(changes)
    for path in written:
        io.out.say(f"wrote {path}")
    rest = [s for s in settings if s.kind in ("command", "code")]
    if lines:
        io.out.say(f"\nFor the variables, in your shell (or at the end of its start file):\n\n. {shell_file}")
    _show(tuple(rest), io)
    io.out.say(f"\n`suffice connect {client.name} --undo` takes it back")
    _remind(wired, io)
    io.out.result(_as_dict(client, wired, settings) | {"written": [str(p) for p in written]})
    return Exit.OK


def _refused(client: Client, refusals: list[Refusal], io: Io) -> int:
    for one in refusals:
        io.out.note(f"{one.path} is left as it is: {one.reason}. Put this in yourself:\n\n{one.text}", level=_loud(io))
    rows = [{"path": str(r.path), "reason": r.reason, "text": r.text} for r in refusals]
    io.out.failure(
        "nothing was written",
        f"or run it without touching its files: `suffice launch {client.name} -- ...`",
        refused=rows,
    )
    return Exit.NEGATIVE


def _loud(io: Io) -> int:
    return 9 if io.out.json_mode else 0


def _undo(client: Client, args: argparse.Namespace, io: Io) -> int:
    restored = _files(client, args, io).undo(force=args.force)
    for path in restored:
        io.out.say(f"restored {path}" if path.exists() else f"removed {path}")
    io.out.result({"client": client.name, "restored": [str(p) for p in restored]})
    return Exit.OK
