"""Time the path from bytes to plan: `python bench/decision/first_version.py` prints medians in microseconds, with the load."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable

from suffice.decision.features import extract
from suffice.decision.policy import ArmFacts
from suffice.decision.priors import bundled
from suffice.decision.router import Offer, Router, RouteRequest
from suffice.decision.sessions import Session, SessionTable, session_key
from suffice.decision.virtual import Rule, Target
from suffice.values.money import Known, Rates
from suffice.values.plan import Arm
from suffice.wire.prescan import scan
from suffice.wire.request_view import chat_view


def agent_body(size: int, *, ascii_only: bool) -> bytes:
    """Return a compact agent request of about `size` bytes: 25 tools and a history of calls and results."""
    tools = [
        {"type": "function", "function": {"name": f"t{i}", "description": "d" * 200, "parameters": {"type": "object",
         "properties": {f"p{j}": {"type": "string", "description": "xyz [a] " * 9} for j in range(6)}}}}
        for i in range(25)
    ]  # fmt: skip
    messages: list[dict[str, object]] = [{"role": "system", "content": 'You are [an] {agent} "quoted"\n' * 200}]
    result = 'def f(x):\n    return {"a": [x]}  # ' + ("u" if ascii_only else "ü") + "\n"
    total = 0
    while total < size - 35_000:
        call = {"id": "c", "type": "function", "function": {"name": "bash", "arguments": '{"cmd": "ls {a,b}"}'}}
        messages += [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": result * 80},
        ]
        total += len(result) * 85 + 200
    messages.append({"role": "user", "content": "Fix the failing test in calc.py"})
    return json.dumps(
        {"model": "auto", "messages": messages, "tools": tools}, separators=(",", ":"), ensure_ascii=False
    ).encode()


def small_body() -> bytes:
    messages = [
        {"role": "system", "content": "You are helpful"},
        {"role": "user", "content": "Fix the bug in calc.py. " * 40},
    ]
    return json.dumps({"model": "auto", "messages": messages, "stream": True}, separators=(",", ":")).encode()


def offers(count: int) -> tuple[Offer, ...]:
    names = [
        "gpt-5",
        "gpt-5-mini",
        "claude-sonnet-4-6",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "kimi-k2",
        "grok-4",
        "unheard-of",
    ]
    out = []
    for i in range(count):
        price = 100_000 * (i + 1)
        rates = Rates(
            input=price,
            output=5 * price,
            cache_read=price // 10,
            cache_write=price,
            cache_write_1h=0,
            cache_write_12h=0,
        )
        facts = ArmFacts(
            arm=Arm(model=f"p{i // 8}/{names[i % 8]}", endpoint=f"p{i // 8}"),
            capabilities=frozenset({"tools"}),
            context_tokens=500_000,
        )
        out.append(Offer(facts=facts, price=Known(rates=rates, source="bench", version="1")))
    return tuple(out)


def median_us(call: Callable[[], object], times: int) -> float:
    for _ in range(5):
        call()
    taken = []
    for _ in range(times):
        start = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1000


def main() -> None:
    bodies = {
        "1 KB": small_body(),
        "400 KB ascii": agent_body(400_000, ascii_only=True),
        "400 KB utf-8": agent_body(400_000, ascii_only=False),
    }
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians in microseconds")
    for name, body in bodies.items():
        times = 3000 if len(body) < 5000 else 200
        top = scan(body)
        view = chat_view(top)
        print(f"{name:>13} ({len(body)} bytes): scan {median_us(lambda b=body: scan(b), times):.1f}", end="")  # type: ignore[misc]
        print(f", view {median_us(lambda t=top: chat_view(t), times):.1f}", end="")  # type: ignore[misc]
        print(f", features {median_us(lambda v=view: extract(v), times):.1f}", end="")  # type: ignore[misc]
        change: dict[str, bytes | None] = {"model": b'"x"', "user": b'"y"'}
        print(f", splice {median_us(lambda t=top, c=change: t.splice(c), times):.1f}")  # type: ignore[misc]
    features = extract(view)
    arms = offers(16)
    router = Router(arms, bundled())
    pinned = arms[3].facts.arm
    warm = Session(created_s=0, used_s=0, pinned=pinned, prompt_tokens=80_000, warm_until_s={pinned: 300.0})
    auto = Target(name="auto", rule=Rule.AUTO)
    for name, request in (
        ("cold", RouteRequest(features=features, target=auto)),
        ("warm session", RouteRequest(features=features, target=auto, session=warm, now_s=1.0)),
    ):
        print(f"plan, 16 arms, {name}: {median_us(lambda r=request: router.plan(r), 2000):.1f}")  # type: ignore[misc]
    table = SessionTable()
    system = "x" * 6000
    key = median_us(lambda: session_key(b"k" * 16, "t", {}, {}, system_text=system, first_user_text="hi"), 2000)
    print(f"session key by content {key:.1f}, touch {median_us(lambda: table.touch('a', 1.0), 2000):.1f}")


if __name__ == "__main__":
    main()
