"""`Settings`: everything that `suffice.toml` can say.

Frozen values, one dataclass per section. Each field describes itself (`setting.about`); the loader, the JSON Schema, the
reference page and `suffice init` all read those descriptions. A setting exists here before any room may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from suffice.config.origin import Origin
from suffice.config.secret import Secret
from suffice.config.sections import (
    MODEL_ID,
    BudgetSettings,
    CheckSettings,
    EndpointSettings,
    ModelSettings,
    TeamSettings,
)
from suffice.config.setting import about

VERSION = 1
_NAME = {
    "key_pattern": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}",
    "key_expects": "letters, digits, `-`, `_` and `.`, at most 63",
}
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where Suffice listens, and what it accepts before it looks closer."""

    host: str = field(default="127.0.0.1", metadata=about("Address of the data plane.", restart=True, non_empty=True))
    port: int = field(
        default=4000,
        metadata=about("Port of the data plane; 0 takes a free one.", minimum=0, maximum=65535, restart=True),
    )
    control_host: str = field(
        default="127.0.0.1",
        metadata=about("Address of the control plane: metrics, reload, dashboard.", restart=True, non_empty=True),
    )
    control_port: int = field(
        default=4001,
        metadata=about("Port of the control plane; 0 takes a free one.", minimum=0, maximum=65535, restart=True),
    )
    control_secret: Secret | None = field(
        default=None,
        metadata=about(
            "Bearer secret of the control plane, at least 16 characters. Required when `control_host` is not a loopback address.",
            example='"${SUFFICE_CONTROL_SECRET}"',
        ),
    )
    max_body_bytes: int = field(
        default=32 * _MIB, metadata=about("Largest request body, in bytes.", minimum=1024, maximum=1024 * _MIB)
    )
    max_header_count: int = field(
        default=100, metadata=about("Most header lines of a request.", minimum=8, maximum=10_000)
    )
    max_header_bytes: int = field(
        default=65_536, metadata=about("Largest request head, in bytes.", minimum=1024, maximum=_MIB)
    )
    header_deadline_s: float = field(
        default=10.0, metadata=about("Seconds for the whole head of a request.", above=0, maximum=3600)
    )
    body_deadline_s: float = field(
        default=30.0, metadata=about("Seconds for the whole body of a request.", above=0, maximum=3600)
    )
    idle_deadline_s: float = field(
        default=75.0,
        metadata=about("Seconds that a connection may stay open without a request.", above=0, maximum=3600),
    )
    max_connections: int = field(
        default=10_000, metadata=about("Most client connections at a time.", minimum=1, maximum=1_000_000)
    )
    shutdown_grace_s: float = field(
        default=30.0,
        metadata=about("Seconds that running requests have to finish after SIGTERM.", minimum=0, maximum=3600),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Where the ledger, keys and journals are kept."""

    path: str = field(
        default="",
        metadata=about(
            "Folder for everything that Suffice writes; relative to the configuration file. "
            "Empty: `$XDG_DATA_HOME/suffice`, else `~/.local/share/suffice`.",
            restart=True,
        ),
    )
    durability: Literal["standard", "strict"] = field(
        default="standard",
        metadata=about(
            "`standard` survives the death of the process; `strict` waits for the disk and survives that of the machine.",
            restart=True,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """Patience with providers. One total deadline covers all attempts of a request."""

    connect_deadline_s: float = field(
        default=5.0, metadata=about("Seconds to connect, TLS included.", above=0, maximum=600)
    )
    first_event_deadline_s: float = field(
        default=120.0, metadata=about("Seconds until the first event of a stream.", above=0, maximum=3600)
    )
    whole_answer_deadline_s: float = field(
        default=300.0, metadata=about("Seconds until an answer that does not stream begins.", above=0, maximum=3600)
    )
    between_events_deadline_s: float = field(
        default=60.0, metadata=about("Seconds between two pieces of an answer.", above=0, maximum=3600)
    )
    total_deadline_s: float = field(
        default=600.0, metadata=about("Seconds for a request with all its attempts.", above=0, maximum=86_400)
    )
    max_attempts: int = field(
        default=3, metadata=about("Most upstream calls for one request, retries included.", minimum=1, maximum=20)
    )
    max_connections: int = field(
        default=256, metadata=about("Most connections to one endpoint.", minimum=1, maximum=10_000)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairSettings:
    """H: dollars that a person's repair costs when the answer does not hold, by kind of task."""

    default: Decimal = field(
        default=Decimal("0.6"), metadata=about("For every task that has no figure of its own.", minimum=0)
    )
    complete: Decimal | None = field(
        default=Decimal("0.03"), metadata=about("Completing code at the cursor.", minimum=0)
    )
    generate: Decimal | None = field(default=None, metadata=about("Writing new code.", minimum=0))
    explain: Decimal | None = field(default=None, metadata=about("Explaining code.", minimum=0))
    docstring: Decimal | None = field(default=None, metadata=about("Writing documentation of code.", minimum=0))
    test_gen: Decimal | None = field(default=None, metadata=about("Writing tests.", minimum=0))
    edit: Decimal | None = field(default=Decimal("3"), metadata=about("Changing code.", minimum=0))
    bug_fix: Decimal | None = field(default=Decimal("3"), metadata=about("Mending a defect.", minimum=0))
    refactor: Decimal | None = field(default=Decimal("3"), metadata=about("Restructuring code.", minimum=0))
    convert: Decimal | None = field(
        default=Decimal("3"), metadata=about("Translating code to another language or library.", minimum=0)
    )
    review: Decimal | None = field(default=None, metadata=about("Reviewing code.", minimum=0))
    plan: Decimal | None = field(default=None, metadata=about("Planning work.", minimum=0))
    agentic_step: Decimal | None = field(default=Decimal("10"), metadata=about("A step of an agent's run.", minimum=0))
    other: Decimal | None = field(default=None, metadata=about("Anything else.", minimum=0))

    def usd(self, task: str) -> Decimal:
        """Return H in dollars for a task type such as `bug-fix`; unknown types cost the default."""
        value = getattr(self, task.replace("-", "_"), None)
        return value if isinstance(value, Decimal) else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingSettings:
    """How a model is chosen for `auto`, `fast`, `best`, `cheap` and your aliases."""

    reference_model: str = field(
        default="",
        metadata=about(
            "Model that savings are measured against. Empty: the strongest one configured.",
            pattern=MODEL_ID,
            expects="`provider/model`",
            example='"anthropic/claude-sonnet-4-5"',
        ),
    )
    default_model: str = field(
        default="",
        metadata=about(
            "Model that is used when the decision core fails. Empty: the reference model.",
            pattern=MODEL_ID,
            expects="`provider/model`",
        ),
    )
    quality_floor: float = field(
        default=0.0, metadata=about("Lowest acceptable probability that the first answer holds.", minimum=0, maximum=1)
    )
    explore: float = field(
        default=0.0,
        metadata=about(
            "Share of the sessions on `auto` in which another safe model may go first, to learn from it. 0: never. "
            "Data with restrictions is never explored on.",
            minimum=0,
            maximum=0.2,
        ),
    )
    cascade: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Models, first to last, that serve `auto` while the decision core is held back by an alarm. "
            "Empty: three made from priors and prices.",
            non_empty=True,
            example='["openai/gpt-5-mini", "anthropic/claude-sonnet-4-5"]',
        ),
    )
    mode: Literal["auto", "commit", "gate-tools", "buffer"] = field(
        default="auto",
        metadata=about(
            "What a stream waits for: `commit` nothing, `gate-tools` holds tool calls until checked, `buffer` all."
            " `auto`: `gate-tools` for requests with tools, else `commit`."
        ),
    )
    hedge: Literal["off", "auto"] = field(
        default="off",
        metadata=about(
            "`auto`: a stream that has not begun in time is asked for elsewhere too, and the first that speaks is given. Both are"
            " paid for."
        ),
    )
    hedge_after_s: float = field(
        default=0.0,
        metadata=about(
            "With `hedge`: how many seconds are in time. 0: those in which 95 % of an arm's streams have begun, once ten were seen.",
            minimum=0,
            maximum=600,
        ),
    )
    draft: bool = field(
        default=False,
        metadata=about(
            "Whether a cheap model may draft an answer that a strong one approves or repairs with a small edit, where that is cheaper"
            " in expectation. Not for streams or tools."
        ),
    )
    interventions: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Events of an agent's run that may move it to a stronger model once confirmed; see docs/cascade.md.",
            pattern=r"tests_failed_after_edit|same_error|edit_failed|no_write|compaction|done_declared",
            expects="tests_failed_after_edit, same_error, edit_failed, no_write, compaction or done_declared",
            example='["same_error"]',
        ),
    )
    pilot: bool = field(
        default=True,
        metadata=about(
            "Whether an intervention acts on one half of the runs only until 50 runs have shown that it helps. `false`: on all at once."
        ),
    )
    repair_usd: RepairSettings = field(
        default_factory=RepairSettings, metadata=about("What a failed answer costs the person who repairs it.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSettings:
    """A changed policy that goes live in steps, as long as what is measured speaks for it."""

    policy: str = field(
        default="",
        metadata=about(
            "File with the changed `[routing]` and `[aliases]`; a relative path starts at this file's folder. Empty: no rollout.",
            example='"candidate.toml"',
        ),
    )
    steps: tuple[float, ...] = field(
        default=(0.05, 0.25, 1.0),
        metadata=about(
            "Shares of the sessions that it decides, one step after the other, each larger than the one before.",
            above=0,
            maximum=1,
            example="[0.05, 0.25, 1.0]",
        ),
    )
    tolerance: float = field(
        default=0.005,
        metadata=about(
            "By how much the share of wrong answers may rise, at the upper end of its interval, for a step on.",
            minimum=0,
            maximum=0.05,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySettings:
    """How answers are judged before they count as good."""

    enabled: bool = field(default=True, metadata=about("Whether answers are checked at all."))
    sandbox: Literal["required", "off"] = field(
        default="required",
        metadata=about("`required`: checks that run code run in the sandbox or not at all. `off`: no check runs code."),
    )
    max_parallel_checks: int = field(
        default=2, metadata=about("Most sandboxed checks at a time.", minimum=1, maximum=256)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """Where prompts may go. No prompt and no answer is ever stored."""

    forbid_training: bool = field(
        default=False,
        metadata=about("Use only endpoints that are known not to train on requests; unknown counts as training."),
    )
    max_retention_days: int | None = field(
        default=None,
        metadata=about(
            "Use only endpoints known to keep requests for at most so many days.", minimum=0, maximum=3650, example="30"
        ),
    )
    allowed_regions: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Use only endpoints known to be in these regions. Empty: anywhere.", non_empty=True, example='["eu"]'
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the process says while it runs (standard error). Prompts and secrets are never logged."""

    level: Literal["debug", "info", "warning", "error"] = field(
        default="info", metadata=about("The least serious event that is logged.")
    )
    format: Literal["auto", "json", "text"] = field(
        default="auto", metadata=about("`auto` is text at a terminal and JSON lines elsewhere.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration. `origin` says where each setting stands, and is no part of the comparison.

    `candidate` is the same configuration under the changed policy of `rollout.policy`, None without one.
    """

    version: int = field(
        default=VERSION,
        metadata=about("Version of this file's format.", minimum=VERSION, maximum=VERSION, example=str(VERSION)),
    )
    server: ServerSettings = field(default_factory=ServerSettings, metadata=about("Listeners and limits."))
    storage: StorageSettings = field(default_factory=StorageSettings, metadata=about("Disk."))
    log: LogSettings = field(default_factory=LogSettings, metadata=about("Logging."))
    endpoints: Mapping[str, EndpointSettings] = field(
        default_factory=dict, metadata=about("Places that serve models, by a name of your choice.", **_NAME)
    )
    models: Mapping[str, ModelSettings] = field(
        default_factory=dict,
        metadata=about(
            "Corrections and additions to the catalogue, by `provider/model`.",
            key_pattern=MODEL_ID,
            key_expects="`provider/model`",
        ),
    )
    aliases: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata=about(
            "Virtual models: a name and the concrete models it chooses among.",
            example='{ review = ["openai/gpt-5", "anthropic/claude-sonnet-4-5"] }',
            non_empty=True,
            **_NAME,
        ),
    )
    routing: RoutingSettings = field(default_factory=RoutingSettings, metadata=about("Choosing a model."))
    rollout: RolloutSettings = field(
        default_factory=RolloutSettings, metadata=about("A changed policy, taken live in steps.")
    )
    upstream: UpstreamSettings = field(
        default_factory=UpstreamSettings, metadata=about("Deadlines and limits towards providers.")
    )
    verify: VerifySettings = field(default_factory=VerifySettings, metadata=about("Checking answers."))
    checks: Mapping[str, CheckSettings] = field(
        default_factory=dict, metadata=about("Your own checks, by a name of your choice.", **_NAME)
    )
    budgets: Mapping[str, BudgetSettings] = field(
        default_factory=dict, metadata=about("Limits on spending, by a name of your choice.", **_NAME)
    )
    teams: Mapping[str, TeamSettings] = field(
        default_factory=dict, metadata=about("Teams, by a name of your choice.", **_NAME)
    )
    privacy: PrivacySettings = field(default_factory=PrivacySettings, metadata=about("Where prompts may go."))
    origin: Origin = field(default_factory=Origin, repr=False, compare=False)
    candidate: Settings | None = field(default=None, repr=False)
