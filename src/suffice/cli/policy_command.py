"""Show the routing policy and its pilots, compare two policies, replay requests under another one, start with a new model.

The policy is what a configuration file says of routing: the sections routing, aliases, models, endpoints, checks and privacy. `diff`
names the settings that differ; `replay` asks the policy of --policy about the requests of the ledger and prints the difference in
spend, success and expected total cost, with intervals. Nothing is sent and nothing changes.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from suffice.cli import cold_start
from suffice.cli.command import Exit, Io
from suffice.cli.options import actions, moment_s, utc
from suffice.cli.workspace import catalogue, configured, effective, folder_of, opened
from suffice.config.schema import Settings

if TYPE_CHECKING:
    from suffice.gateway.policy_replay import Difference
    from suffice.gateway.state import State

SECTIONS = ("routing", "aliases", "models", "endpoints", "checks", "privacy")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    made = actions(
        parser,
        show="what `auto` chooses among, and what is believed of each model",
        pilots="what interventions into agents' runs have shown, and whether they may act",
        diff="the settings in which another configuration's policy differs",
        replay="ask another policy about the requests of the ledger",
        **{"cold-start": "which of your tasks to try a new model on, and take their results"},
    )
    made["show"].add_argument("--task", default="edit", help="the task type to show beliefs for; default edit")
    made["diff"].add_argument("other", metavar="FILE", help="the other configuration file")
    made["replay"].add_argument(
        "--policy", metavar="FILE", help="its file; default: the candidate of a rollout, else the present configuration"
    )
    cold_start.configure(made["cold-start"])
    made["replay"].add_argument("--since", default="7d", metavar="WHEN", help="7d, 24h or 2026-11-01 (UTC); default 7d")


def run(args: argparse.Namespace, io: Io) -> int:
    """Do the action; exit code 1 when `diff` finds a difference."""
    if args.action == "show":
        return _show(args, io)
    if args.action == "pilots":
        return _pilots(args, io)
    if args.action == "diff":
        return _diff(args, io)
    if args.action == "cold-start":
        settings = effective(args, io, secrets=args.results is not None)
        return cold_start.run(args, io, settings, state_of(settings, io))
    return _replay(args, io)


def state_of(settings: Settings, io: Io) -> State:
    """Return the routing state of a configuration, with what this gateway has learned."""
    from datetime import UTC, datetime

    from suffice.decision import priors
    from suffice.decision import state as beliefs
    from suffice.decision.core import CELLS, Core
    from suffice.errors import DecisionError
    from suffice.gateway import fleet
    from suffice.gateway.state import State
    from suffice.storage import blob

    folder = folder_of(settings, io)
    now_s = io.env.now()
    snapshot = None
    data = blob.read(folder.root / "beliefs.bin")
    if data is not None:
        try:
            loaded = beliefs.loads(data)
            snapshot = loaded if loaded.skill.cells == CELLS else None
        except DecisionError as error:
            io.out.note(f"what was learned cannot be read: {error}")
    table = priors.bundled()
    built = fleet.build(settings, catalogue(folder), datetime.fromtimestamp(now_s, UTC).date().isoformat())
    core = Core(table, snapshot)
    state = State(settings, built, table, core, now_s)
    if settings.candidate is not None:
        state.candidate = State(settings.candidate, built, table, core, now_s)
    return state


def _show(args: argparse.Namespace, io: Io) -> int:
    from suffice.cli.command import UsageError
    from suffice.decision.router import RouteRequest
    from suffice.decision.virtual import Rule, Target
    from suffice.values.money import format_usd
    from suffice.values.task import Features, TaskType

    if args.task not in list(TaskType):
        raise UsageError(f"there is no task type {args.task!r}; one of {', '.join(TaskType)}")
    state = state_of(effective(args, io, secrets=False), io)
    features = Features(task=TaskType(args.task), prompt_tokens=2000)
    plan = state.router(Target(name="auto", rule=Rule.AUTO)).plan(
        RouteRequest(features=features, target=Target(name="auto", rule=Rule.AUTO), data=state.data)
    )
    rows = [
        (
            c.arm.name,
            c.arm.endpoint,
            c.masked_by or f"{c.p_success:.1%}",
            f"{c.p_low:.1%}",
            "-" if c.masked_by else format_usd(c.cost.total),
            c.source,
        )
        for c in plan.candidates
    ]
    routing = state.settings.routing
    io.out.say(
        f"reference {routing.reference_model or '-'}, floor {routing.quality_floor}, H {routing.repair_usd.usd(args.task)} $"
    )
    io.out.table(
        f"auto, {args.task}, 2,000 prompt tokens", ("model", "endpoint", ">success", ">low", ">a try", "from"), rows
    )
    rollout = _rollout(state.settings, io)
    for line in state.certificates:
        io.out.say(f"guarantee certificate: {line}")
    for line in state.checks:
        io.out.say(f"learned of a check: {line}")
    explored = f"{routing.explore:.0%} of sessions" if routing.explore else "off"
    io.out.say(
        f"exploration: {explored}; cascade while an alarm is up: {', '.join(routing.cascade) or 'made from priors and prices'}"
    )
    io.out.result(
        {
            "certificates": list(state.certificates),
            "checks": list(state.checks),
            "rollout": rollout,
            "explore": routing.explore,
            "cascade": list(routing.cascade),
            "task": args.task,
            "reference_model": routing.reference_model,
            "quality_floor": routing.quality_floor,
            "repair_usd": str(routing.repair_usd.usd(args.task)),
            "candidates": [
                dict(zip(("model", "endpoint", "success", "low", "cost", "source"), r, strict=True)) for r in rows
            ],
        }
    )
    return Exit.OK


def _pilots(args: argparse.Namespace, io: Io) -> int:
    from suffice.decision.pilots import TASKS, better
    from suffice.decision.progress import INTERVENTIONS
    from suffice.gateway.pilots import FILE, Pilots

    settings = effective(args, io, secrets=False)
    routing, pilots = settings.routing, Pilots(folder_of(settings, io).root / FILE)
    rows, told = [], []
    for kind in INTERVENTIONS:
        tally, allowed = pilots.tally(kind), kind in routing.interventions
        runs = tally.acted + tally.left
        state = pilots.standing(kind).value if runs or (allowed and routing.pilot) else "not begun"
        chance = f"{min(better(tally), 0.999):.1%}" if runs else "unknown"
        acted, left = f"{tally.acted_good}/{tally.acted}", f"{tally.left_good}/{tally.left}"
        rows.append((kind, "yes" if allowed else "no", state, f"{runs}/{TASKS}", acted, left, chance))
        told.append(
            {
                "kind": kind,
                "allowed": allowed,
                "standing": state,
                "runs": runs,
                "acted": {"runs": tally.acted, "came_right": tally.acted_good},
                "left_alone": {"runs": tally.left, "came_right": tally.left_good},
                "better": better(tally) if runs else None,
            }
        )
    titles = ("intervention", "allowed", "pilot", ">runs", ">acted on", ">left alone", ">better")
    io.out.table("interventions: runs that came right, of those acted on and of those left alone", titles, rows)
    if not routing.pilot and routing.interventions:
        io.out.say("routing.pilot is false: what is allowed acts on every run")
    io.out.result({"pilot": routing.pilot, "interventions": told})
    return Exit.OK


def _policy(path: str, own: Settings, io: Io) -> Settings:
    """Return the settings of a file; one that holds a policy alone is put over `own`. Raises InvalidConfigError."""
    from suffice.config.candidate import only_policy, under
    from suffice.config.load import load

    settings = load(path, io.env_vars, io.working, secrets=False)
    return under(settings, own) if only_policy(settings) else settings


def _rollout(settings: Settings, io: Io) -> dict[str, Any] | None:
    """Tell where the rollout stands; return it as plain values, None without one."""
    import msgspec

    from suffice.gateway.rollout import FILE, Rollouts, named

    if settings.candidate is None:
        return None
    stage, steps = Rollouts(folder_of(settings, io).root / FILE).stage, settings.rollout.steps
    name = named(settings)
    if stage is None or stage.policy != name:
        io.out.say(f"rollout {name}: not begun; the gateway begins it with {steps[0]:.0%} of the sessions")
        return {"policy": name, "steps": list(steps), "share": 0.0}
    where = f"step {stage.step + 1} of {len(steps)}, {stage.share(steps):.0%} of the sessions"
    since = utc(stage.began_ms / 1000)
    io.out.say(f"rollout {name}: {'stopped: ' + stage.stopped if stage.stopped else where} (since {since} UTC)")
    if stage.told and not stage.stopped:
        io.out.say(f"rollout, last look: {stage.told}")
    if stage.share(steps) >= 1.0:
        io.out.say("it decides every session: copy its sections into the configuration and remove [rollout]")
    return {**msgspec.to_builtins(stage), "steps": list(steps), "share": stage.share(steps)}


def _diff(args: argparse.Namespace, io: Io) -> int:
    from suffice.config.holder import differences

    here = configured(args, io)
    there = _policy(args.other, here, io)
    changed = [name for name in differences(here, there) if name.split(".")[0] in SECTIONS]
    for name in changed:
        io.out.say(f"{name}: {_value(here, name)} -> {_value(there, name)}")
    if not changed:
        io.out.say("the policies are the same")
    io.out.result({"changed": changed})
    return Exit.NEGATIVE if changed else Exit.OK


def _value(settings: Any, name: str) -> str:
    value = settings
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) or hasattr(value, "get") else getattr(value, part, None)
        if value is None:
            return "(not set)"
    return str(value)


def _replay(args: argparse.Namespace, io: Io) -> int:
    from suffice.gateway.policy_replay import replay
    from suffice.ledger import queries

    since_s = moment_s(args.since, "--since", io.env.now(), ahead=False)
    own = configured(args, io)
    state = state_of(_policy(args.policy, own, io) if args.policy else own.candidate or own, io)
    with opened(io, folder_of(own, io)) as database, database.reader() as session:
        found = replay(queries.decided(session, since_s), state)
    io.out.result(as_dict(found))
    if not found.n:
        io.out.say(f"no decisions on virtual models since {utc(since_s)} UTC")
        return Exit.OK
    _tell(found, io)
    return Exit.OK


def _tell(found: Difference, io: Io) -> None:
    from suffice.decision.ope import RAMP

    io.out.say(
        f"{found.n} decisions, {len(found.changes)} of them would go elsewhere first, {found.refused} could not be served; "
        f"{found.judged} have a verdict"
    )
    support = (
        f"; {found.unsupported} rest on predictions alone: the log never explored there" if found.unsupported else ""
    )
    io.out.say(f"doubly robust from logged propensities, effective sample size {found.ess:.0f}{support}")
    rows = []
    for name, unit, estimate in (
        ("spend", "$", found.spend),
        ("success", "", found.success),
        ("expected total J", "$", found.total),
    ):
        if estimate is not None:
            rows.append((name, f"{estimate.mean:+.6f} {unit}", f"{estimate.low:+.6f} to {estimate.high:+.6f}"))
    io.out.table("new policy minus what happened, per request", ("", ">difference", ">95 % interval"), rows)
    if found.promoted:
        steps = ", ".join(f"{step:.0%}" for step in RAMP)
        io.out.say(f"may go live: {found.verdict}; [rollout] takes it there in steps of {steps} of the sessions")
    else:
        io.out.say(f"may not go live on this evidence: {found.verdict}")
    for change in found.changes[:10]:
        io.out.say(f"{change.request_id}: {change.before} -> {change.after} ({change.reason})")


def as_dict(found: Difference) -> dict[str, Any]:
    """Return the difference as plain values for --json."""
    import dataclasses

    return dataclasses.asdict(found)
