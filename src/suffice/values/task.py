"""The kinds of coding requests, and what is known of one request before it is sent."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class TaskType(StrEnum):
    """What a coding request asks for. The order is stable: tables are indexed by it."""

    COMPLETE = "complete"
    GENERATE = "generate"
    EXPLAIN = "explain"
    DOCSTRING = "docstring"
    TEST_GEN = "test-gen"
    EDIT = "edit"
    BUG_FIX = "bug-fix"
    REFACTOR = "refactor"
    CONVERT = "convert"
    REVIEW = "review"
    PLAN = "plan"
    AGENTIC_STEP = "agentic-step"
    OTHER = "other"


TASK_TYPES: tuple[TaskType, ...] = tuple(TaskType)
TASK_INDEX: dict[TaskType, int] = {task: index for index, task in enumerate(TASK_TYPES)}


class Features(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the request itself says, before any model has seen it.

    `language` is the programming language (lower case, `""` when unknown), `natural_language` an ISO 639-1 code or `""`.
    `prompt_tokens` is an estimate; `max_output_tokens` is the caller's limit or 0. `needs_*` are hard capabilities.
    `security_sensitive` and `unfamiliar_library` raise the quality floor. `signals` name what was recognised, for people.
    """

    task: TaskType
    language: str = ""
    natural_language: str = ""
    security_sensitive: bool = False
    unfamiliar_library: bool = False
    prompt_tokens: int = 0
    max_output_tokens: int = 0
    turn: int = 0
    needs_tools: bool = False
    needs_vision: bool = False
    needs_structured: bool = False
    has_tests: bool = False
    stream: bool = False
    signals: tuple[str, ...] = ()
