"""Create, list, revoke and rotate the virtual keys of callers.

A key's text is shown once, when it is made; only its keyed hash is stored. A running gateway follows within a second.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.options import actions, dollars, iso, listed, moment_s, span_s, utc
from suffice.cli.workspace import configured, folder_of, opened
from suffice.config.problem import did_you_mean
from suffice.config.schema import Settings

if TYPE_CHECKING:
    from suffice.ledger.keys import KeyRecord, KeyStore

NONE_VALID = "no valid keys; `suffice keys create` makes one"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    made = actions(
        parser,
        create="make a key and show it, this once",
        list="show every key, without its secret",
        revoke="refuse a key from now on",
        rotate="give a key a new secret",
    )
    create = made["create"]
    create.add_argument("--name", default="", help="what the key is for")
    create.add_argument("--owner", default="", help="person who answers for it")
    create.add_argument("--team", default="", help="team that it belongs to")
    create.add_argument(
        "--model",
        action="append",
        metavar="PATTERN",
        help="model, alias or pattern that it may use; may be repeated (default: *)",
    )
    create.add_argument(
        "--budget", action="append", metavar="NAME", help="budget that its requests count against; may be repeated"
    )
    create.add_argument("--expires", metavar="WHEN", help="date (2027-01-31, UTC) or duration (90d) until it ends")
    create.add_argument(
        "--data-class",
        default="",
        metavar="NAME",
        help="name of the data that its requests carry: never explored with; what endpoints must promise stands in [privacy]",
    )
    create.add_argument("--repair-usd", metavar="USD", help="what a failed answer costs this caller to repair")
    made["list"].add_argument("--all", action="store_true", help="also keys that are revoked or have expired")
    for name in ("revoke", "rotate"):
        made[name].add_argument("key", metavar="KEY", help="id or name of the key")
    made["rotate"].add_argument("--grace", default="", metavar="SPAN", help="how long the old secret stays valid (1h)")


def run(args: argparse.Namespace, io: Io) -> int:
    """Do the action."""
    settings = configured(args, io)
    if args.action == "list" and not folder_of(settings, io).exists:
        return _none_valid(io)
    with _store(settings, io, create=args.action == "create") as store:
        match args.action:
            case "create":
                return _create(args, io, settings, store)
            case "list":
                return _list(args, io, store)
            case "revoke":
                record = store.revoke(store.find(args.key).id)
                io.out.say(f"revoked {record.id}; a running gateway refuses it within a second")
                io.out.result({"record": as_dict(record)})
                return Exit.OK
        grace_s = span_s(args.grace, "--grace") if args.grace else 0
        text, record = store.rotate(store.find(args.key).id, grace_s=grace_s)
        until = f"stays valid for {args.grace}" if grace_s else "is refused from now on"
        return _shown(io, text, record, f"rotated {record.id}; the old secret {until}")


@contextmanager
def _store(settings: Settings, io: Io, *, create: bool) -> Iterator[KeyStore]:
    from suffice.ledger.keys import KeyStore, load_pepper

    folder = folder_of(settings, io)
    with opened(io, folder, create=create) as database:
        store = KeyStore(io.env, database, load_pepper(folder.pepper, io.env))
        store.start()
        try:
            yield store
        finally:
            store.stop()


def _create(args: argparse.Namespace, io: Io, settings: Settings, store: KeyStore) -> int:
    from suffice.ledger.keys import Grant

    budgets = listed(args.budget)
    for name in budgets:
        if name not in settings.budgets:
            close = did_you_mean(name, settings.budgets)
            raise UsageError(f"--budget: no budget is called {name!r}; {close or f'define [budgets.{name}] first'}")
    if args.team and args.team not in settings.teams:
        close = did_you_mean(args.team, settings.teams)
        io.out.note(
            f"note: no [teams.{args.team}] is configured, so the team has no rules of its own. {close}".rstrip()
        )
    expires_s = int(moment_s(args.expires, "--expires", io.env.now(), ahead=True)) if args.expires else 0
    grant = Grant(
        name=args.name,
        owner=args.owner,
        team=args.team,
        allowed_models=listed(args.model) or ("*",),
        budgets=budgets,
        data_class=args.data_class,
        repair_usd=f"{dollars(args.repair_usd, '--repair-usd'):f}" if args.repair_usd is not None else "",
    )
    text, record = store.create(grant, expires_s=expires_s)
    until = f", valid until {utc(expires_s)} UTC" if expires_s else ""
    return _shown(io, text, record, f"created {record.id}{until}")


def _shown(io: Io, text: str, record: KeyRecord, what: str) -> int:
    """Show a key's text, the only time: on standard output alone, so that it can be piped into a secret store."""
    io.out.note(f"{what}. The key is shown only now:", level=9 if io.out.json_mode else 0)
    io.out.say(text)
    io.out.result({"key": text, "record": as_dict(record)})
    return Exit.OK


def _list(args: argparse.Namespace, io: Io, store: KeyStore) -> int:
    now = io.env.now()
    records = [r for r in store.list() if args.all or state_of(r, now) == "valid"]
    hidden = len(store.list()) - len(records)
    if records:
        rows = [
            (
                r.id,
                r.grant.name,
                r.grant.owner,
                r.grant.team,
                " ".join(r.grant.allowed_models),
                " ".join(r.grant.budgets),
                state_of(r, now),
                utc(r.created_s),
                utc(r.expires_s) if r.expires_s else "never",
            )
            for r in records
        ]
        io.out.table(
            "", ("id", "name", "owner", "team", "models", "budgets", "state", "created", "expires (UTC)"), rows
        )
    else:
        io.out.say(NONE_VALID)
    if hidden:
        io.out.say(f"{hidden} revoked or expired; --all shows them")
    io.out.result({"keys": [as_dict(r) | {"state": state_of(r, now)} for r in records], "hidden": hidden})
    return Exit.OK


def _none_valid(io: Io) -> int:
    io.out.say(NONE_VALID)
    io.out.result({"keys": [], "hidden": 0})
    return Exit.OK


def state_of(record: KeyRecord, now_s: float) -> str:
    """Return valid, revoked or expired."""
    if record.revoked_s and record.revoked_s <= now_s:
        return "revoked"
    return "expired" if record.expires_s and record.expires_s <= now_s else "valid"


def as_dict(record: KeyRecord) -> dict[str, object]:
    """Return a key's record for machines; it has no secret."""
    grant = record.grant
    return {
        "id": record.id,
        "name": grant.name,
        "owner": grant.owner,
        "team": grant.team,
        "models": list(grant.allowed_models),
        "budgets": list(grant.budgets),
        "data_class": grant.data_class,
        "repair_usd": grant.repair_usd or None,
        "created": iso(record.created_s),
        "expires": iso(record.expires_s),
        "revoked": iso(record.revoked_s),
    }
