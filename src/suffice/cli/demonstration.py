"""Runs the demo and prints what it showed. The measuring is `testing.demo`'s; here is only the telling."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from suffice.cli.command import Io
from suffice.errors import ConfigError
from suffice.testing.demo import Gateway, PolicyResult, configuration, run_policy, simulated_providers, write_checks
from suffice.testing.seeded import Seeded
from suffice.testing.simulated import load_profiles
from suffice.testing.summary import Comparison, compare
from suffice.testing.tasks import Task, load

if TYPE_CHECKING:
    from openai import AsyncOpenAI

DEFAULT_TASKS = 240


async def demonstrate(args: argparse.Namespace, io: Io, profiles_text: str | None) -> None:
    """Run every policy over the tasks and print the comparison. Raises ConfigError when the client is not installed."""
    try:
        from openai import AsyncOpenAI
    except ImportError:
        raise ConfigError(
            "the demo drives the official openai client, which is not installed", hint="run `make demo`"
        ) from None
    profiles = load_profiles(profiles_text)
    tasks = choose(load(), args.tasks or DEFAULT_TASKS, args.seed)
    models = list(profiles.models)
    with tempfile.TemporaryDirectory(prefix="suffice-demo-") as name:
        folder = Path(name)
        checks = write_checks(tasks, folder)
        async with simulated_providers(profiles, load(), args.seed) as urls:
            config = folder / "suffice.toml"
            config.write_text(configuration(urls, checks, folder, reference=models[-1]))
            gateway = await Gateway.start(config)
            client = AsyncOpenAI(base_url=gateway.base_url, api_key="none", max_retries=0)
            try:
                runs = every_policy(client, models, checks, args.parallel, args.repair_usd, io)
                results = [result async for result in runs]
                tell(compare(results, "auto"), profiles.note, len(tasks), io)
                if io.out.interactive and not args.no_wait:
                    await _stay(gateway, config, io)
            finally:
                await client.close()
                await gateway.stop()


async def every_policy(
    client: AsyncOpenAI,
    models: Sequence[str],
    checks: dict[str, tuple[Task, Path]],
    parallel: int,
    repair_usd: Decimal | None,
    io: Io,
) -> AsyncIterator[PolicyResult]:
    """Yield what came of each model alone, of Suffice, and of Suffice told that a failure costs `repair_usd`, if that is anything."""
    runs: list[tuple[str, Decimal | None]] = [*((name, None) for name in [*models, "auto"])]
    if repair_usd:
        runs.append(("auto", repair_usd))
    for model, told in runs:
        said = f"{model}, failure at ${told}" if told else model
        with io.out.progress(f"{said}: {len(checks)} tasks", len(checks)) as tick:
            # Not yielded from in here: the line of the progress ends before the next one begins.
            result = await run_policy(client, model, checks, parallel, lambda: tick(1), told)
        yield result


def choose(tasks: tuple[Task, ...], count: int, seed: int) -> tuple[Task, ...]:
    """Return `count` of the tasks, drawn from the seed, in their own order."""
    ranked = sorted(tasks, key=lambda task: Seeded(seed, "choose", task.id).random())
    chosen = {task.id for task in ranked[:count]}
    return tuple(task for task in tasks if task.id in chosen)


def tell(comparison: Comparison, note: str, count: int, io: Io, simulated: bool = True) -> None:
    """Print the table and the honest sentence below it."""
    label = "SIMULATED models, real tasks, real tests, real list prices" if simulated else "real models on this machine"
    rows = [row(result, comparison) for result in comparison.results]
    burdens = (f">J at ${repair}" for repair in comparison.repairs_usd)
    columns = ("policy", ">passed tests", ">share", ">spend", ">per success", ">escalated", *burdens)
    io.out.say("")
    io.out.table(f"{count} coding tasks ({label})", columns, rows)
    for line in comparison.sentences():
        io.out.say(line)
    if simulated:
        io.out.say(f"Note: {note}")
    io.out.result({"simulated": simulated, "tasks": count, **comparison.as_dict()})


def row(result: PolicyResult, comparison: Comparison) -> tuple[str, ...]:
    """Return the line of one policy."""
    name = comparison.name(result)
    name = name.replace("auto", "Suffice (auto)", 1) if result.policy == comparison.ours else f"always {name}"
    if result.policy == comparison.best_single:
        name += " *"
    total = len(result.answers)
    per = f"${result.spend_usd / result.solved:.6f}" if result.solved else "none passed"
    share = f"{100 * result.solved / total:.1f} %"
    burdens = tuple(f"${result.burden_usd(repair):.4f}" for repair in comparison.repairs_usd)
    return (name, str(result.solved), share, f"${result.spend_usd:.4f}", per, str(result.escalated), *burdens)


async def _stay(gateway: Gateway, config: Path, io: Io) -> None:
    io.out.say("")
    io.out.say(f"The gateway is still up at {gateway.base_url}. In another terminal, try:")
    io.out.say(f"  suffice report --config {config}")
    io.out.say(f"  suffice explain last --config {config}")
    io.out.say(
        f"  curl -s {gateway.base_url}/chat/completions -H 'content-type: application/json' "
        '-d \'{"model":"auto","messages":[{"role":"user","content":"Write hello world in Python"}]}\' -i'
    )
    io.out.say("Press Ctrl-C to end.")
    await asyncio.Event().wait()
