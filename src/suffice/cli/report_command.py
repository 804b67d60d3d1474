"""Show what was spent, what became of it, and what it saved.

Savings are estimates: the usage of each delivered answer repriced at the other model, one call for each request, against
everything that was paid. The best single model is the cheapest whose accepted share is not below that of all requests.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from suffice.cli.command import Exit, Io
from suffice.cli.options import iso, moment_s, utc
from suffice.cli.workspace import catalogue, configured, folder_of, opened
from suffice.values.money import NanoUsd, format_usd

if TYPE_CHECKING:
    from suffice.ledger.changes import Changes
    from suffice.ledger.report import Group, Report

BY = ("model", "task", "key", "team", "owner", "day")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--since", default="7d", metavar="WHEN", help="7d, 24h or 2026-11-01 (UTC); default 7d")
    parser.add_argument("--by", default="model", choices=BY, help="what to group by; default model")


def run(args: argparse.Namespace, io: Io) -> int:
    """Build the report and show it."""
    from suffice.ledger import changes, report

    since_s = moment_s(args.since, "--since", io.env.now(), ahead=False)
    folder = folder_of(configured(args, io), io)
    catalog = catalogue(folder)
    with opened(io, folder) as database, database.reader() as session:
        made = report.build(
            session, since_s, args.by, lambda model, at_s, usage: catalog.price(model, at_s, usage=usage)
        )
        came = changes.build(session, since_s)
    io.out.result({**as_dict(made, since_s, catalog.version), "accepted_changes": changes_dict(came)})
    if not made.total.attempts and not made.total.charged:
        io.out.say(f"no requests since {utc(since_s)} UTC")
        return Exit.OK
    io.out.table(f"since {utc(since_s)} UTC", columns(args.by), [_row(g) for g in made.groups])
    _summary(io, made)
    _changes(io, came)
    return Exit.OK


def columns(by: str) -> tuple[str, ...]:
    """Return the titles of the table."""
    return (by, ">requests", ">spent", ">accepted", ">rejected", ">unjudged", ">failed", ">cached", ">saved (est.)")


def _row(group: Group) -> tuple[object, ...]:
    fates = group.fates
    return (
        group.name or "-",
        group.requests,
        _spent(group),
        fates["accepted"],
        fates["rejected"],
        fates["unjudged"],
        fates["failed"] + fates["cancelled"],
        _share(group.cache_share),
        _money(group.saved),
    )


def _spent(group: Group) -> str:
    """Return the spend; what has no price is told beside it, never as 0."""
    if group.unpriced and not group.charged:
        return f"unpriced ({group.unpriced})"
    return format_usd(NanoUsd(group.charged)) + (f" + {group.unpriced} unpriced" if group.unpriced else "")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _money(value: NanoUsd | None) -> str:
    return "-" if value is None else format_usd(value)


def _summary(io: Io, made: Report) -> None:
    say, total = io.out.say, made.total
    say(f"spent {_spent(total)} on {total.requests} requests ({total.attempts} attempts)")
    fates = ", ".join(f"{total.fates[f]} {f}" for f in ("accepted", "rejected", "unjudged", "cancelled", "failed"))
    say(f"answers: {fates}; accepted of judged: {_share(total.success_share)}")
    for gate, said in sorted(made.gates.items()):
        say(f"  gate {gate}: {said['accept']} accepted, {said['reject']} rejected, {said['unknown']} could not tell")
    say(f"prompt tokens from cache: {_share(total.cache_share)}")
    if total.saved is None:
        say("saving against the reference: no request has a known reference price")
    else:
        say(f"saving against the reference (estimated, repriced, {total.compared} requests): {format_usd(total.saved)}")
        say(f"  reference {format_usd(NanoUsd(total.reference))} - paid {format_usd(NanoUsd(total.paid))}")
    if made.best is None or made.saved_against_best is None:
        say(f"saving against the best single model: not told; {made.best_why}")
    else:
        say(
            f"saving against the best single model, {made.best.model} (estimated): {format_usd(made.saved_against_best)}"
        )
        say(f"  {made.best_why}; {made.best.accepted} of {made.best.judged} judged answers accepted")
        say(f"  it alone {_money(made.best.cost)} - paid {format_usd(made.paid)}")
    if total.unpriced:
        say(
            f'{total.unpriced} attempts have no price; set one under [models."provider/model"]. They are in no sum above'
        )
    if total.unknown:
        say(f"{total.unknown} attempts ended with their process and are charged as far as was known")


def _changes(io: Io, came: Changes) -> None:
    """Show the cost per accepted change; what is not known is called unknown, never 0."""
    title = "cost per accepted change (linked: of the requests that led to it; all-in: everything spent in the period)"
    rows = [
        (
            k.name,
            k.count or (0 if k.reverted else "unknown"),
            k.reverted,
            _known(k.linked_each()),
            _known(came.all_in(k)),
            len(k.requests),
        )
        for k in came.kinds
    ]
    io.out.table(title, ("change", ">changes", ">reverted", ">linked, each", ">all-in, each", ">requests"), rows)
    tasks = [(t.name or "-", t.requests, t.accepted, t.rejected, t.unknown, _known(t.each())) for t in came.tasks]
    io.out.table(
        "by task type, from reported outcomes",
        ("task", ">requests", ">accepted", ">rejected", ">unknown", ">per accepted"),
        tasks,
    )
    if came.total.unknown:
        io.out.say(f"{came.total.unknown} of {came.total.requests} requests have no outcome yet; see docs/outcomes.md")


def _known(value: NanoUsd | None) -> str:
    return "unknown" if value is None else format_usd(value)


def changes_dict(came: Changes) -> dict[str, object]:
    """Return the cost per accepted change for machines. Money in nano-dollars; null where it is not known."""
    return {
        "changes": [
            {
                "name": k.name,
                "changes": k.count or (0 if k.reverted else None),
                "reverted": k.reverted,
                "requests": len(k.requests),
                "linked_each": k.linked_each(),
                "all_in_each": came.all_in(k),
                "unpriced_requests": k.unpriced,
            }
            for k in came.kinds
        ],
        "tasks": [
            {
                "name": t.name,
                "requests": t.requests,
                "accepted": t.accepted,
                "rejected": t.rejected,
                "unknown": t.unknown,
                "unpriced_requests": t.unpriced,
                "per_accepted": t.each(),
            }
            for t in (*came.tasks, came.total)
        ],
    }


def as_dict(made: Report, since_s: float, version: str) -> dict[str, object]:
    """Return the report for machines. Money in nano-dollars; null where nothing is known."""
    best = made.best
    return {
        "since": iso(since_s),
        "by": made.by,
        "unit": "nano-dollars",
        "savings": "estimated by repricing the usage of each delivered answer; see docs/cli.md",
        "price_version": version,
        "groups": [group_dict(group) for group in made.groups],
        "total": group_dict(made.total),
        "gates": {gate: dict(said) for gate, said in sorted(made.gates.items())},
        "single_models": [
            {"model": s.model, "cost": s.cost, "accepted": s.accepted, "judged": s.judged} for s in made.singles
        ],
        "best_single": None
        if best is None
        else {"model": best.model, "cost": best.cost, "paid": made.paid, "saved": made.saved_against_best},
        "best_single_why": made.best_why,
    }


def group_dict(group: Group) -> dict[str, object]:
    """Return one group for machines."""
    return {
        "name": group.name,
        "requests": group.requests,
        "attempts": group.attempts,
        "charged": None if group.unpriced and group.unpriced == group.attempts else group.charged,
        "unpriced_attempts": group.unpriced,
        "estimated_attempts": group.estimated,
        "unknown_attempts": group.unknown,
        "answers": {name: group.fates[name] for name in ("accepted", "rejected", "unjudged", "cancelled", "failed")},
        "success_share": group.success_share,
        "cache_share": group.cache_share,
        "prompt_tokens": group.prompt_tokens,
        "output_tokens": group.output_tokens,
        "compared_requests": group.compared,
        "reference": group.reference if group.compared else None,
        "paid": group.paid if group.compared else None,
        "saved": group.saved,
    }
