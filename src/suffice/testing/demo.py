"""The demo: real coding tasks through a real gateway, with simulated (or local) models and their tests as the judge.

Every policy sends every task through the same gateway and the official `openai` client: each model pinned, then `auto`. The
gateway runs as a process of its own; nothing is shared with it but its configuration file and its socket. What is simulated
is named so in everything that is printed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from suffice.errors import UpstreamError
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.simulated import Profiles, SimulatedModel
from suffice.testing.tasks import Task

# Output and error pipe of the gateway are kept for the person who has to find out why it did not start.
_START_S = 20.0
# What a failure is priced at, unless a request says otherwise.
REPAIR_USD = Decimal("0.6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back for one task: accepted by its tests or not, dollars, attempts, and the model that answered last.

    `failed` says why there was no answer, "" when there was one. `cost_usd` is None when nobody could say what it cost.
    `text` and `finish_reason` are the answer's own.
    """

    task: str
    accepted: bool
    cost_usd: Decimal | None
    attempts: int
    model: str
    failed: str = ""
    text: str = ""
    finish_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResult:
    """All answers under one policy, in the order of the tasks. `repair_usd` is what its requests priced a failure at."""

    policy: str
    answers: tuple[Answered, ...]
    repair_usd: Decimal = REPAIR_USD

    @property
    def solved(self) -> int:
        """How many tasks ended with passing tests."""
        return sum(a.accepted for a in self.answers)

    @property
    def spend_usd(self) -> Decimal:
        """What all attempts with a known cost cost together; see `unpriced`."""
        return sum((a.cost_usd for a in self.answers if a.cost_usd is not None), Decimal(0))

    def burden_usd(self, repair_usd: Decimal) -> Decimal:
        """What the policy tries to keep small: the spend, and `repair_usd` for each task that did not pass."""
        return self.spend_usd + (len(self.answers) - self.solved) * repair_usd

    @property
    def unpriced(self) -> int:
        """Of how many tasks the cost is unknown."""
        return sum(a.cost_usd is None for a in self.answers)

    @property
    def failures(self) -> tuple[Answered, ...]:
        """The tasks that got no answer at all."""
        return tuple(a for a in self.answers if a.failed)

    @property
    def escalated(self) -> int:
        """How many tasks took more than one attempt."""
        return sum(a.attempts > 1 for a in self.answers)


@asynccontextmanager
async def simulated_providers(profiles: Profiles, tasks: tuple[Task, ...], seed: int) -> AsyncIterator[dict[str, str]]:
    """Run one simulated provider per model; yields model id -> base URL."""
    async with AsyncExitStack() as stack:
        urls = {}
        for model, profile in profiles.models.items():
            script = SimulatedModel(model, profile, tasks, seed)
            name = model.partition("/")[2]
            provider = await stack.enter_async_context(FakeProvider(script, seed=seed, models=(name,), record=False))
            urls[model] = provider.base_url
        yield urls


def write_checks(tasks: Sequence[Task], folder: Path) -> dict[str, tuple[Task, Path]]:
    """Write each task's test files into a folder of its own; returns check name -> (task, folder)."""
    checks = {}
    for task in tasks:
        name = task.id.replace("/", "-")
        place = folder / "checks" / name
        place.mkdir(parents=True)
        for path, text in task.files.items():
            (place / path).write_text(text)
        checks[name] = (task, place)
    return checks


def configuration(
    urls: dict[str, str],
    checks: dict[str, tuple[Task, Path]],
    folder: Path,
    reference: str,
    prices: Mapping[str, tuple[str, str]] | None = None,
    answer_s: int = 0,
) -> str:
    """Return the gateway's configuration: one endpoint per model, one named check per task.

    `prices` gives nominal prices ($/Mtok in, out) to models that the catalogue does not know. `answer_s` are the seconds that one answer
    may take, three of them for a request; 0 means the gateway's own.
    """
    lines = [
        "version = 1",
        "[server]",
        "port = 0",
        "control_port = 0",
        "[storage]",
        f'path = "{folder / "data"}"',
        "[routing]",
        f'reference_model = "{reference}"',
        "[routing.repair_usd]",
        f"generate = {REPAIR_USD}",
    ]
    if answer_s:
        lines += ["[upstream]", f"whole_answer_deadline_s = {answer_s}", f"total_deadline_s = {3 * answer_s}"]
    for number, (model, url) in enumerate(urls.items()):
        provider, _, name = model.partition("/")
        lines += [
            f'[endpoints."demo-{number + 1}-{provider}"]',
            f'provider = "{provider}"',
            f'base_url = "{url}"',
            "private = true",
            f'models = ["{name}"]',
        ]
    for model, (input_usd, output_usd) in (prices or {}).items():
        lines += [
            f'[models."{model}".price]',
            f"input_usd_per_mtok = {input_usd}",
            f"output_usd_per_mtok = {output_usd}",
            "nominal = true",
        ]
    for check, (task, place) in checks.items():
        command = ", ".join(f'"{part}"' for part in task.command)
        lines += [
            f'[checks."{check}"]',
            f"command = [{command}]",
            f'repo = "{place}"',
            f'answer_path = "{task.answer_path}"',
            "timeout_s = 10",
            'strength = "decides"',
        ]
    return "\n".join(lines) + "\n"


async def start_process(
    command: Sequence[str], start_s: float = _START_S
) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    """Start a server and wait for the JSON object that says where it listens. Raises UpstreamError with its own words."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        told = await _first_object(process.stdout, start_s)
    except BaseException:  # told to end while it starts: nobody else knows of it yet
        process.kill()
        await process.communicate()
        raise
    if told is None or "base_url" not in told:
        if process.returncode is None:
            process.kill()
        said = str(told or "") + (await process.stderr.read()).decode(errors="replace")[-2000:]
        await process.wait()  # its pipes are read to their end: what is left is to reap it
        raise UpstreamError(f"{command[2]} did not start: {said}")
    return process, told


class Gateway:
    """A gateway in a process of its own. `base_url` is set once it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, base_url: str) -> None:
        self.process = process
        self.base_url = base_url

    @staticmethod
    async def start(config: Path) -> Gateway:
        """Start `suffice serve` and wait until it says where it listens. Raises UpstreamError with its own words."""
        command = [sys.executable, "-m", "suffice.cli.main", "serve", "--json", "--config", str(config)]
        process, told = await start_process(command)
        return Gateway(process, str(told["base_url"]))

    async def stop(self) -> None:
        """Ask it to drain and wait for its end."""
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


async def _first_object(stream: asyncio.StreamReader, start_s: float) -> dict[str, Any] | None:
    """Return the first whole JSON object on `stream`, None when it ends or stays silent."""
    text = b""
    while True:
        try:
            line = await asyncio.wait_for(stream.readline(), start_s)
        except TimeoutError:
            return None
        if not line:
            return None
        text += line
        try:
            found: dict[str, Any] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            continue
        return found


async def run_policy(
    client: Any,
    model: str,
    checks: dict[str, tuple[Task, Path]],
    parallel: int,
    tick: Callable[[], None],
    repair_usd: Decimal | None = None,
) -> PolicyResult:
    """Send every task with `model` and return what came back; `client` is an `openai.AsyncOpenAI`.

    With `repair_usd` each request prices a failure at so many dollars, and not at what is configured.
    A request that fails is a task that did not pass: the others go on.
    """
    gate = asyncio.Semaphore(parallel)
    headers = {} if repair_usd is None else {"x-suffice-repair-usd": str(repair_usd)}

    async def one(check: str, task: Task) -> Answered:
        async with gate:
            answered = await _send(client, model, headers | {"x-suffice-check": check}, task)
        tick()
        return answered

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(one(check, task)) for check, (task, _) in checks.items()]
    answers = tuple(t.result() for t in running)
    return PolicyResult(policy=model, answers=answers, repair_usd=REPAIR_USD if repair_usd is None else repair_usd)


async def _send(client: Any, model: str, headers: Mapping[str, str], task: Task) -> Answered:
    import openai

    failed, text, finish_reason = "", "", ""
    try:
        raw = await client.chat.completions.with_raw_response.create(
            model=model,
            messages=[{"role": "user", "content": task.prompt}],
            extra_headers=headers,
        )
        told, choice = raw.headers, raw.parse().choices[0]
        text, finish_reason = choice.message.content or "", choice.finish_reason
    except openai.APIStatusError as error:
        told, failed = error.response.headers, f"{error.status_code}: {error.message}"
    except openai.APIConnectionError as error:
        told, failed = {}, f"{type(error).__name__}: {error}"
    cost = told.get("x-suffice-cost-usd") or told.get("x-suffice-cost-estimate-usd")
    return Answered(
        task=task.id,
        accepted=not failed and told.get("x-suffice-verdict", "").startswith("accepted"),
        cost_usd=None if cost in (None, "unknown") else Decimal(cost),
        attempts=int(told.get("x-suffice-attempts", "1")),
        model=told.get("x-suffice-model", ""),
        failed=failed,
        text=text,
        finish_reason=finish_reason,
    )
