"""The sections of `suffice.toml` that name things: endpoints, models, budgets, teams and checks.

Values only: no reading, no checking. What each setting means, its unit and its range stand in the metadata of its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from suffice.config.secret import Secret
from suffice.config.setting import about

_HOST_PART = {"pattern": r"[A-Za-z0-9-]{1,63}", "expects": "1 to 63 letters, digits or hyphens"}
_PRICE = {"minimum": 0, "places": 6, "example": "0.25"}
MODEL_ID = r"[a-z0-9][a-z0-9.-]*/[^\s/][^\s]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSettings:
    """The price of one model; it replaces the catalogue's price whole. Buckets left out cost what the catalogue derives."""

    input_usd_per_mtok: Decimal = field(metadata=about("Dollars per million fresh input tokens.", **_PRICE))
    output_usd_per_mtok: Decimal = field(
        metadata=about("Dollars per million output tokens, reasoning included.", **_PRICE)
    )
    cache_read_usd_per_mtok: Decimal | None = field(
        default=None,
        metadata=about("Dollars per million input tokens read from the provider's prompt cache.", **_PRICE),
    )
    cache_write_usd_per_mtok: Decimal | None = field(
        default=None, metadata=about("Dollars per million input tokens written to the prompt cache.", **_PRICE)
    )
    cache_write_1h_usd_per_mtok: Decimal | None = field(
        default=None, metadata=about("The same for cache entries kept for an hour.", **_PRICE)
    )
    cache_write_12h_usd_per_mtok: Decimal | None = field(
        default=None, metadata=about("The same for cache entries kept for twelve hours.", **_PRICE)
    )
    nominal: bool = field(
        default=False,
        metadata=about(
            "Whether the price is made up, as for a model of your own. A price of 0 needs it, so that none is free by mistake."
        ),
    )

    def buckets(self) -> dict[str, Decimal]:
        """Return the given prices in dollars per million tokens, by the catalogue's name of the bucket (`input`, ...)."""
        names = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "cache_write_12h")
        given = {name: getattr(self, f"{name}_usd_per_mtok") for name in names}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """One place that serves models: a provider's account, or a server of your own."""

    provider: str = field(
        metadata=about(
            "Provider of the catalogue that this endpoint speaks like (see `suffice models --providers`).",
            pattern=r"[a-z0-9][a-z0-9-]{0,62}",
            expects="a provider id: lower-case letters, digits and hyphens",
            example='"openai"',
        )
    )
    api_key: Secret | None = field(
        default=None,
        metadata=about(
            "Key of the provider: `${NAME}` for an environment variable or `file:/path`. Local servers need none.",
            example='"${OPENAI_API_KEY}"',
        ),
    )
    access_key_id: Secret | None = field(
        default=None,
        metadata=about("AWS access key id; requests are signed with it.", example='"${AWS_ACCESS_KEY_ID}"'),
    )
    secret_access_key: Secret | None = field(
        default=None,
        metadata=about("Secret of the AWS access key.", example='"${AWS_SECRET_ACCESS_KEY}"'),
    )
    session_token: Secret | None = field(
        default=None,
        metadata=about("Session token of a temporary AWS access key.", example='"${AWS_SESSION_TOKEN}"'),
    )
    credential_command: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Program and arguments (no shell) that print a token, or JSON with keys or a token and its expiry; run again in time.",
            non_empty=True,
            example='["gcloud", "auth", "print-access-token"]',
        ),
    )
    credential_file: str = field(
        default="",
        metadata=about(
            "File with the same, read again every minute; or Google's application default credentials of a user."
        ),
    )
    enabled: bool = field(default=True, metadata=about("Whether requests may go to this endpoint."))
    base_url: str = field(
        default="",
        metadata=about(
            "Address to use in place of the provider's own. `http://` only for private endpoints.",
            example='"http://127.0.0.1:11434/v1"',
        ),
    )
    private: bool = field(
        default=False,
        metadata=about(
            "Whether the address may be in a private or loopback network; otherwise such addresses are refused."
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Names of the models served here, as the provider spells them. Empty: all that the catalogue has.",
            non_empty=True,
            example='["qwen2.5-coder:7b"]',
        ),
    )
    dialects: tuple[Literal["chat", "messages", "responses", "gemini"], ...] = field(
        default=(),
        metadata=about(
            "Dialects that this endpoint speaks, where it speaks fewer than its provider does. Empty: all of the provider's.",
            example='["chat"]',
        ),
    )
    region: str = field(
        default="", metadata=about("Region of the provider's service, where it has regions.", **_HOST_PART)
    )
    api_version: str = field(
        default="",
        metadata=about(
            "Version of Azure's older interface, which has a path for each deployment. Empty: the v1 interface.",
            pattern=r"[0-9a-z-]{1,40}",
            expects="a version such as 2024-10-21",
            example='"2024-10-21"',
        ),
    )
    resource: str = field(
        default="", metadata=about("Name of the resource (Azure) or account (Cloudflare).", **_HOST_PART)
    )
    project: str = field(default="", metadata=about("Project id (Google Vertex).", **_HOST_PART))
    proxy: str = field(
        default="",
        metadata=about("HTTP proxy for this endpoint (CONNECT). Proxy variables of the environment are ignored."),
    )
    proxy_auth: Secret | None = field(
        default=None, metadata=about("`user:password` for the proxy, as `${NAME}` or `file:/path`.")
    )
    ca_file: str = field(
        default="",
        metadata=about(
            "PEM file of the authorities to trust for this endpoint, in place of the system's. Relative to the file."
        ),
    )
    headers: Mapping[str, Secret] = field(
        default_factory=dict,
        metadata=about(
            "Headers added to every request of this endpoint; their values are treated as secrets.",
            key_pattern=r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}",
            key_expects="a header name",
        ),
    )
    prices: Mapping[str, PriceSettings] = field(
        default_factory=dict, metadata=about("Prices that hold at this endpoint only, by the name of the model here.")
    )
    attributes: Mapping[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Facts about this endpoint for compliance rules (region, retention, training use), over the catalogue's.",
            example='{ retention_days = "0" }',
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What is known of one model better than the catalogue does, or of a model that the catalogue has not."""

    price: PriceSettings | None = field(
        default=None, metadata=about("Price at every endpoint that has none of its own.")
    )
    name: str = field(default="", metadata=about("Name that the provider knows the model by. Empty: as after the `/`."))
    context_window_tokens: int | None = field(
        default=None, metadata=about("Longest prompt and answer together, in tokens.", minimum=1)
    )
    max_output_tokens: int | None = field(default=None, metadata=about("Longest answer, in tokens.", minimum=1))
    capabilities: (
        tuple[
            Literal[
                "tools", "vision", "structured", "reasoning", "fim", "embeddings", "rerank", "audio", "image-output"
            ],
            ...,
        ]
        | None
    ) = field(default=None, metadata=about("What the model can do; replaces the catalogue's list."))
    enabled: bool = field(default=True, metadata=about("Whether the model may be chosen or pinned."))
    attributes: Mapping[str, str] = field(
        default_factory=dict, metadata=about("Facts about the model for compliance rules, over the catalogue's.")
    )

    def as_override(self) -> dict[str, object]:
        """Return what was given in the form that `catalog.overrides.apply` takes."""
        out: dict[str, object] = {}
        if self.price is not None:
            out["price"] = self.price.buckets()
            if self.price.nominal:
                out["nominal"] = True
        given = {
            "name": self.name,
            "context_window": self.context_window_tokens,
            "max_output": self.max_output_tokens,
            "capabilities": self.capabilities,
            "attributes": dict(self.attributes),
        }
        # An empty list of capabilities is a statement; an empty name or table is none.
        return out | {name: value for name, value in given.items() if value not in (None, "", {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """A limit on spending, shared by all keys and teams that name it."""

    limit_usd: Decimal = field(metadata=about("Dollars that may be spent in one window.", above=0, example="50"))
    window: Literal["day", "week", "month", "total"] = field(
        default="month", metadata=about("When spending starts again at zero (UTC); `total` never does.")
    )
    soft: float = field(
        default=0.8,
        metadata=about("Share of the limit from which plans become cheaper.", above=0, maximum=1),
    )
    hard: bool = field(
        default=True, metadata=about("Whether requests beyond the limit are refused (402); otherwise they only warn.")
    )
    pace: bool = field(
        default=False,
        metadata=about(
            "Whether plans get cheaper while money is spent faster than evenly over the window; not for `total`."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSettings:
    """What the keys of one team may do."""

    budgets: tuple[str, ...] = field(
        default=(), metadata=about("Budgets that every request of the team counts against.")
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Models and aliases that the team may use. Empty: all.",
            non_empty=True,
            example='["auto", "openai/gpt-5-mini"]',
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """A command of yours that judges code before it is accepted; it runs in the sandbox, without a network."""

    command: tuple[str, ...] = field(
        metadata=about(
            "Program and arguments; no shell. Exit code 0 accepts.",
            non_empty=True,
            example='["python", "-m", "pytest", "-q"]',
        )
    )
    languages: tuple[str, ...] = field(
        default=(), metadata=about("Programming languages the check is for. Empty: all.", non_empty=True)
    )
    repo: str = field(
        default="", metadata=about("Folder that the check sees read-only, with the answer's files over it.")
    )
    commit: str = field(
        default="",
        metadata=about(
            "Commit, branch or tag of the git repository in `repo` that the check sees. Empty: the files as they lie there. "
            "A request may name another one: `x-suffice-check: name@commit`.",
            example='"main"',
        ),
    )
    answer_path: str = field(
        default="",
        metadata=about(
            "Where an answer without a path of its own is put, relative to the folder.",
            example='"solution.py"',
        ),
    )
    strength: Literal["lint", "related", "full", "decides"] = field(
        default="related",
        metadata=about(
            "How far a pass can be believed: `lint` reads the code, `related` runs some tests, `full` the whole suite; "
            "`decides` declares that what passes is right. It is where learning starts from."
        ),
    )
    timeout_s: float = field(default=60.0, metadata=about("Seconds until the check is stopped.", above=0, maximum=3600))
