"""The demo with real models on this machine: real answers, real tests, nominal prices."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

from suffice.cli.command import Io
from suffice.cli.demonstration import choose, every_policy, tell
from suffice.errors import ConfigError
from suffice.testing.demo import Gateway, PolicyResult, configuration, start_process, write_checks
from suffice.testing.local_models import LARGER, SMALL, LocalModel, fetch, named
from suffice.testing.summary import compare
from suffice.testing.tasks import load

DEFAULT_TASKS = 24
# About the price of one answer of the largest model: to try again is hardly worth it then.
REPAIR_USD = Decimal("0.0001")
PROVIDER = "llamacpp"
# A slow or busy machine must not cut an answer: what is cut is charged as it was reserved, which is many times an answer's price.
ANSWER_S = 1800


async def demonstrate_local(args: argparse.Namespace, io: Io) -> None:
    """Run every policy with real local models. Raises ConfigError when llama.cpp is not installed."""
    try:
        import llama_cpp  # noqa: F401
        from openai import AsyncOpenAI
    except ImportError as error:
        raise ConfigError(f"{error.name} is not installed", hint="run `make demo-local`, which installs it") from None
    models = chosen_models(args, io)
    tasks = choose(tuple(t for t in load() if t.source == "humaneval"), args.tasks or DEFAULT_TASKS, args.seed)
    ids = [f"{PROVIDER}/{m.name}" for m in models]
    prices = {f"{PROVIDER}/{m.name}": (m.input_usd_per_mtok, m.output_usd_per_mtok) for m in models}
    with tempfile.TemporaryDirectory(prefix="suffice-demo-") as name:
        folder = Path(name)
        checks = write_checks(tasks, folder)
        async with served(models) as urls:
            config = folder / "suffice.toml"
            config.write_text(configuration(urls, checks, folder, reference=ids[-1], prices=prices, answer_s=ANSWER_S))
            gateway = await Gateway.start(config)
            client = AsyncOpenAI(base_url=gateway.base_url, api_key="none", max_retries=0, timeout=3 * ANSWER_S)
            try:
                results = []
                repair_usd = REPAIR_USD if args.repair_usd is None else args.repair_usd
                async for result in every_policy(client, ids, checks, min(args.parallel, 2), repair_usd, io):
                    results.append(result)
                    if args.answers and result.policy != "auto":
                        keep_answers(Path(args.answers), result)
                note = "Prices are nominal: " + ", ".join(
                    f"{m.title} {p[0]}/{p[1]} $/Mtok" for m, p in zip(models, prices.values(), strict=True)
                )
                tell(compare(results, "auto"), note, len(tasks), io, simulated=False)
                io.out.say(note)
            finally:
                await client.close()
                await gateway.stop()


def keep_answers(path: Path, result: PolicyResult) -> None:
    """Append what a model answered to `path`, a JSON object a line, for `make bench-verify ANSWERS=path`."""
    with path.open("a", encoding="utf-8") as file:
        for answered in result.answers:
            if not answered.failed:
                row = {"model": result.policy, "task": answered.task}
                row |= {"finish_reason": answered.finish_reason, "text": answered.text}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def chosen_models(args: argparse.Namespace, io: Io) -> list[LocalModel]:
    """Return the models to use, cheapest first."""
    if args.gguf:
        return named(args.gguf)
    cache = Path(io.env_vars.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "suffice" / "models"
    cache.mkdir(parents=True, exist_ok=True)
    locks = Path("requirements")
    if not locks.is_dir():
        raise ConfigError(
            "the weights' locks are not here", hint="run from a clone of the repository, or name files with --gguf"
        )
    wanted = (SMALL, *LARGER) if args.anonymous_weights else (SMALL,)
    return [fetch(w, cache, locks.resolve(), io.out.note) for w in wanted]


@asynccontextmanager
async def served(models: Sequence[LocalModel]) -> AsyncIterator[dict[str, str]]:
    """Run one server process per model; yields model id -> base URL."""
    async with AsyncExitStack() as stack:
        urls = {}
        for model in models:
            command = [sys.executable, "-m", "suffice.testing.local_server", str(model.path), "--name", model.name]
            process, told = await start_process(command, start_s=120.0)
            stack.push_async_callback(_end, process)
            urls[f"{PROVIDER}/{model.name}"] = str(told["base_url"])
        yield urls


async def _end(process: object) -> None:
    from asyncio.subprocess import Process

    assert isinstance(process, Process)
    if process.returncode is None:
        process.terminate()
        await process.wait()
