"""Joins the operator's checks of the configuration with the sandbox that runs them."""

from __future__ import annotations

import logging
from pathlib import Path

from suffice.cli.command import Io
from suffice.config.environment import folder_of, storage_folder
from suffice.config.references import resolve
from suffice.config.schema import Settings
from suffice.errors import SandboxError
from suffice.sandbox.checks import CheckSpec, run_check
from suffice.sandbox.limits import Limits
from suffice.sandbox.sandbox import Sandbox
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.extract import Form, extract
from suffice.verify.view import AnswerView, AskView

log = logging.getLogger("suffice.sandbox")


class Checks:
    """The named checks of one configuration and the sandbox that they share."""

    def __init__(self, settings: Settings, io: Io) -> None:
        cache = storage_folder(settings, io.env_vars, io.working) / "sandbox"
        self.sandbox = Sandbox(concurrency=settings.verify.max_parallel_checks, cache_folder=cache)
        self.specs = specs(settings, io)

    async def start(self) -> bool:
        """Start the sandbox; False, with a warning, when no tier works here: then checks say UNKNOWN."""
        try:
            report = await self.sandbox.start()
        except SandboxError as error:
            log.warning("no check will run: %s", error)
            return False
        log.info("sandbox tier: %s", report.tier)
        return True

    async def run(self, name: str, text: str, language: str) -> Verdict:
        """Run the check `name` on an answer's text. Never raises for what the answer does."""
        spec = self.specs[name]
        files = answer_files(text, language)
        if not files:
            return Verdict(
                gate=f"check:{name}",
                outcome=Outcome.REJECT,
                kind="no-code",
                reason="the answer holds no code to check",
                evidence="Answer with the whole code in one fenced block.",
            )
        return await run_check(self.sandbox, spec, files)


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
            languages=frozenset(section.languages),
            timeout_s=section.timeout_s,
            limits=Limits(wall_s=section.timeout_s),
        )
    return made


def answer_files(text: str, language: str) -> dict[str, str]:
    """Return the code of an answer as files: by path where it names one, else the largest piece under the empty path."""
    pieces = [c for c in extract(AnswerView(text=text), AskView(language=language)) if c.form is Form.CODE]
    named = {c.path: c.text for c in pieces if c.path}
    if named:
        return named
    largest = max(pieces, key=lambda c: len(c.text), default=None)
    return {"": largest.text} if largest is not None else {}
