"""Joins the operator's checks of the configuration with the sandbox that runs them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from suffice.cli.command import Io
from suffice.config.environment import folder_of, storage_folder
from suffice.config.references import resolve
from suffice.config.schema import Settings
from suffice.errors import SandboxError
from suffice.sandbox.checkouts import Checkouts
from suffice.sandbox.checks import CheckSpec, run_check
from suffice.sandbox.limits import Limits
from suffice.sandbox.sandbox import Sandbox
from suffice.values.verdict import Outcome, Verdict
from suffice.verify import languages
from suffice.verify.extract import extract
from suffice.verify.landing import changed_files, plain_files
from suffice.verify.view import AnswerView, AskView

log = logging.getLogger("suffice.sandbox")

MAX_FILE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The checks of one configuration; `sandbox` is None when none may or can be used."""

    specs: dict[str, CheckSpec]
    sandbox: Sandbox | None
    places: int


class Checks:
    """The named checks of the configuration in force and the sandbox that they share.

    A reload prepares the new ones beside the old (`prepare`) and exchanges them in one step (`use`). The sandbox is started
    for the first check there is, and again with another number of places.
    """

    def __init__(self, io: Io) -> None:
        self._io = io
        self._sandbox: Sandbox | None = None
        self._places = 0
        self._retired: list[Sandbox] = []
        self._specs: dict[str, CheckSpec] = {}
        self._checkouts = Checkouts(Path())

    async def prepare(self, settings: Settings) -> Prepared:
        """Build the checks of `settings` and start what they need. Raises ConfigError; changes nothing of what is in force.

        Where no tier of the sandbox works a warning is logged: then checks say UNKNOWN.
        """
        if settings.verify.sandbox != "required" or not settings.checks:
            return Prepared(specs={}, sandbox=None, places=0)
        found, places = specs(settings, self._io), settings.verify.max_parallel_checks
        if self._sandbox is not None and self._places == places:
            return Prepared(specs=found, sandbox=self._sandbox, places=places)
        cache = storage_folder(settings, self._io.env_vars, self._io.working) / "sandbox"
        sandbox = Sandbox(concurrency=places, cache_folder=cache)
        try:
            report = await sandbox.start()
        except SandboxError as error:
            log.warning("no check will run: %s", error)
            return Prepared(specs=found, sandbox=None, places=0)
        log.info("sandbox tier: %s", report.tier)
        if self._sandbox is None:
            self._checkouts = Checkouts(cache / "trees")
        return Prepared(specs=found, sandbox=sandbox, places=places)

    def use(self, prepared: Prepared) -> None:
        """Use the prepared checks from the next answer on."""
        if self._sandbox is not None and self._sandbox is not prepared.sandbox:
            self._retired.append(self._sandbox)  # a check may still run in it
        self._specs, self._sandbox, self._places = prepared.specs, prepared.sandbox, prepared.places

    async def discard(self, prepared: Prepared) -> None:
        """Stop what was started for checks that will not be used."""
        if prepared.sandbox is not None and prepared.sandbox is not self._sandbox:
            await prepared.sandbox.stop()

    async def stop(self) -> None:
        """Stop every sandbox."""
        for sandbox in (self._sandbox, *self._retired):
            if sandbox is not None:
                await sandbox.stop()
        await self._checkouts.clear()

    async def run(self, named: str, answer: AnswerView, ask: AskView) -> Verdict:
        """Run the check `named` on what an answer makes of the check's folder, or of its repository at a commit
        (`name@commit`, else the commit that is configured). Never raises for what the answer does."""
        name, _, commit = named.partition("@")
        gate, spec, sandbox = f"check:{name}", self._specs.get(name), self._sandbox
        if spec is None or sandbox is None:
            why = "no sandbox is available" if sandbox is None else "the check is no longer configured"
            return Verdict(gate=gate, outcome=Outcome.UNKNOWN, reason=why)
        other = other_language(spec, answer, ask)
        if other:
            return Verdict(gate=gate, outcome=Outcome.UNKNOWN, reason=f"the check is not for {other}")
        commit = commit or spec.commit
        if not commit or spec.folder is None:
            return await self._judge(gate, spec, sandbox, answer, ask)
        try:
            async with self._checkouts.at(sandbox, spec.folder, commit) as folder:
                return await self._judge(gate, replace(spec, folder=folder), sandbox, answer, ask)
        except SandboxError as error:
            # The reason is for the client, which may not learn of folders here; the rest is for the operator.
            why = f"{commit!r} cannot be read from the repository of the check"
            fix = "name a branch, a tag or a full commit hash that is there, or have it fetched there"
            reason = f"{why}: {fix}"
            return Verdict(gate=gate, outcome=Outcome.UNKNOWN, kind="commit", reason=reason, evidence=str(error))

    async def _judge(self, gate: str, spec: CheckSpec, sandbox: Sandbox, answer: AnswerView, ask: AskView) -> Verdict:
        files = changed_files(answer, ask, partial(_text, spec.folder)) or plain_files(answer, ask)
        if files:
            return await run_check(sandbox, spec, files)
        if answer.tool_calls:
            return Verdict(gate=gate, outcome=Outcome.UNKNOWN, reason="the calls change no file")
        return Verdict(
            gate=gate,
            outcome=Outcome.REJECT,
            kind="no-code",
            reason="the answer holds no code to check",
            evidence="Answer with the whole code in one fenced block.",
        )


def specs(settings: Settings, io: Io) -> dict[str, CheckSpec]:
    """Return the checks of a configuration; folders are relative to its file."""
    start = folder_of(settings.origin, io.working)
    made = {}
    for name, section in settings.checks.items():
        folder: Path | None = resolve(section.repo, io.env_vars, start) if section.repo else None
        made[name] = CheckSpec(
            name=name,
            command=section.command,
            folder=folder,
            answer_path=section.answer_path,
            languages=frozenset(languages.canonical(said) or said.lower() for said in section.languages),
            commit=section.commit,
            timeout_s=section.timeout_s,
            limits=Limits(wall_s=section.timeout_s),
        )
    return made


def other_language(spec: CheckSpec, answer: AnswerView, ask: AskView) -> str:
    """Return the language of an answer that has none of those that the check is for; "" when it has, or when nobody knows."""
    if not spec.languages:
        return ""
    found = {languages.of_path(p.path) or p.language for p in extract(answer, ask)} - {"", "text", "diff"}
    return "" if not found or found & spec.languages else ", ".join(sorted(found))


def _text(folder: Path | None, path: str) -> str | None:
    """Return the text of a file below `folder`; None for what is no plain file of text there, or too large."""
    if folder is None:
        return None
    try:
        found = (folder / path).resolve(strict=True)
        if not found.is_relative_to(folder.resolve()) or not found.is_file() or found.stat().st_size > MAX_FILE_BYTES:
            return None
        return found.read_text("utf-8")
    except (OSError, ValueError):
        return None
