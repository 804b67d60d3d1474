"""Check the ledger, look at its last rows, correct a charge, remove what is old.

`verify` exits 1 when the books do not add up. `prune` only says what it would remove until `--yes` is given.
"""

from __future__ import annotations

import argparse

from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.options import actions, dollars, iso, moment_s, utc
from suffice.cli.workspace import configured, folder_of, opened
from suffice.storage.database import Database
from suffice.values.money import NanoUsd, format_usd, nano


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    made = actions(
        parser,
        verify="check that the books add up",
        recent="show the last rows, newest first",
        adjust="book what an attempt really cost",
        prune="remove rows that are older than a date",
    )
    made["recent"].add_argument("-n", dest="count", type=int, default=20, metavar="N", help="how many (default 20)")
    made["adjust"].add_argument("request", metavar="REQUEST", help="request id")
    made["adjust"].add_argument("attempt", metavar="ATTEMPT", type=int, help="number of the attempt")
    made["adjust"].add_argument("--actual-usd", required=True, metavar="USD", help="what the provider really charged")
    made["adjust"].add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    made["prune"].add_argument("--before", metavar="WHEN", help="remove what is older than a date or duration (90d)")
    made["prune"].add_argument("--keep", type=int, metavar="ROWS", help="remove the oldest rows past so many")
    made["prune"].add_argument("--yes", action="store_true", help="really remove")


def run(args: argparse.Namespace, io: Io) -> int:
    """Do the action."""
    before_s = _checked(args, io)
    with opened(io, folder_of(configured(args, io), io)) as database:
        match args.action:
            case "verify":
                return _verify(io, database)
            case "recent":
                return _recent(io, database, args.count)
            case "adjust":
                return _adjust(args, io, database)
        return _prune(args, io, database, before_s)


def _checked(args: argparse.Namespace, io: Io) -> float:
    """Refuse what makes no sense before anything is opened; return the date of `prune`, 0 without one."""
    if args.action == "recent" and not 1 <= args.count <= 100_000:
        raise UsageError("-n must be from 1 to 100000")
    if args.action == "adjust":
        dollars(args.actual_usd, "--actual-usd")
    if args.action != "prune":
        return 0.0
    if args.before is None and args.keep is None:
        raise UsageError("suffice ledger prune: say --before WHEN or --keep ROWS")
    if args.keep is not None and args.keep < 0:
        raise UsageError("--keep must be at least 0")
    return moment_s(args.before, "--before", io.env.now(), ahead=False) if args.before else 0.0


def _verify(io: Io, database: Database) -> int:
    from suffice.ledger import queries

    with database.reader() as session:
        findings = queries.verify(session)
        rows, open_now, _, _ = session.run("counts")[0]
    for finding in findings:
        io.out.say(f"{finding.invariant}: {finding.message}")
    if not findings:
        io.out.say(f"ok: {rows} rows add up; {open_now} reservations are open")
    else:
        io.out.note("the books do not add up; keep a copy of the storage folder before you do anything else")
    found = [{"invariant": f.invariant, "message": f.message} for f in findings]
    io.out.result({"ok": not findings, "rows": rows, "open_reservations": open_now, "findings": found})
    return Exit.NEGATIVE if findings else Exit.OK


def _recent(io: Io, database: Database, count: int) -> int:
    from suffice.ledger import queries

    with database.reader() as session:
        found = queries.recent(session, count)
    kinds = {"S": "settled", "X": "released", "U": "unknown", "A": "adjusted"}
    cells, data = [], []
    for attempt in found:
        row = attempt.row
        unpriced = row.price_kind == "unknown" and not row.charge_nano
        charge = "unpriced" if unpriced else format_usd(NanoUsd(row.charge_nano))
        cells.append(
            (
                utc(row.at_ms / 1000),
                row.request_id,
                row.attempt,
                kinds[row.kind],
                row.model,
                row.task,
                row.outcome,
                charge,
            )
        )
        data.append(
            {
                "at": iso(row.at_ms / 1000),
                "request_id": row.request_id,
                "attempt": row.attempt,
                "kind": kinds[row.kind],
                "model": row.model,
                "endpoint": row.endpoint,
                "task": row.task,
                "key": row.key_id,
                "outcome": row.outcome,
                "charge_nano_usd": None if unpriced else row.charge_nano,
                "charge_class": row.charge_class,
                "price": row.price_kind,
            }
        )
    if cells:
        io.out.table("", ("at (UTC)", "request", ">attempt", "kind", "model", "task", "outcome", ">charge"), cells)
    else:
        io.out.say("the ledger is empty")
    io.out.result({"rows": data})
    return Exit.OK


def _adjust(args: argparse.Namespace, io: Io, database: Database) -> int:
    from suffice.ledger.corrections import adjust

    actual = nano(dollars(args.actual_usd, "--actual-usd"))
    delta = adjust(database, io.env, args.request, args.attempt, actual, args.reason)
    io.out.say(f"attempt {args.attempt} of {args.request}: {format_usd(actual)}, a difference of {format_usd(delta)}")
    io.out.result({"request_id": args.request, "attempt": args.attempt, "delta_nano_usd": delta})
    return Exit.OK


def _prune(args: argparse.Namespace, io: Io, database: Database, before_s: float) -> int:
    from suffice.ledger import queries
    from suffice.ledger.corrections import would_prune

    if args.yes:
        pruned = database.call(lambda s: queries.prune(s, before_s, args.keep)).result()
    else:
        with database.reader() as session:
            pruned = would_prune(session, before_s, args.keep)
    what = f"{pruned.ledger} ledger rows, {pruned.decisions} decisions, {pruned.outcomes} outcomes"
    io.out.say(f"removed {what}; sums stay provable" if args.yes else f"would remove {what}; add --yes to do it")
    counts = {"ledger": pruned.ledger, "decisions": pruned.decisions, "outcomes": pruned.outcomes}
    io.out.result({"done": args.yes, **counts})
    return Exit.OK
