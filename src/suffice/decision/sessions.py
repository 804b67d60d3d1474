"""Which requests belong together, and what is remembered of a conversation while it lasts.

A session keeps its model while the provider's cache is warm, so a wrong merge is costly: keys are always scoped by tenant,
no client can name the session of another. The table is bounded in number and in time; the clock comes in as an argument.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from suffice.decision.pilots import Trial
from suffice.decision.progress import Progress
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm

# In the order in which they may be trusted (measured on real clients, see docs/features.md).
HEADER_SIGNALS = (
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "thread-id",
    "x-session-affinity",
    "x-session-id",
    "x-affinity",
)
BODY_SIGNALS = ("prompt_cache_key", "previous_response_id", "metadata.user_id")
_MAX_SIGNAL_CHARS = 512
_HASHED_CHARS = 4000
# Progress is immutable: sessions that have made none share it.
_NOT_BEGUN = Progress()


class SessionKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An opaque key and the signal that it came from (a header, a body field, or `content`)."""

    key: str
    signal: str


def session_key(
    secret: bytes,
    tenant: str,
    headers: Mapping[str, str],
    body: Mapping[str, str],
    *,
    system_text: str = "",
    first_user_text: str = "",
    tool_names: Sequence[str] = (),
) -> SessionKey:
    """Return the session of a request: the first signal present, else a hash of how the conversation began.

    `headers` has lower-case names; `body` maps the BODY_SIGNALS that are present to their texts. `secret` (16 to 64 bytes)
    keys the hash, so that neither texts nor client identifiers can be guessed from stored keys. Over-long signals are cut.
    """
    for source, names in ((headers, HEADER_SIGNALS), (body, BODY_SIGNALS)):
        for name in names:
            value = source.get(name)
            if value and value.strip():
                return SessionKey(key=digest(secret, tenant, name, value[:_MAX_SIGNAL_CHARS]), signal=name)
    texts = (system_text[:_HASHED_CHARS], first_user_text[:_HASHED_CHARS], *tool_names)
    return SessionKey(key=digest(secret, tenant, "content", *texts), signal="content")


def digest(secret: bytes, *parts: str) -> str:
    """Return a keyed hash of length-prefixed parts, so that no two different lists of parts read the same."""
    framed: list[bytes] = []
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        framed += (len(raw).to_bytes(8, "big"), raw)
    return hashlib.blake2b(b"".join(framed), key=secret, digest_size=16).hexdigest()


@dataclass(slots=True, kw_only=True)
class Session:
    """What is remembered of one conversation. Mutable, owned by the table; times are Env.monotonic() seconds.

    `prompt_tokens` is the real count of the last answered turn (0 before); `warm_until_s` says until when each arm's cache
    is expected to hold the prefix; `latched` forbids moving to a cheaper arm after an escalation; `posterior` belongs to
    the planner and is opaque here; `progress` counts what an agent's run went through, `trial` is its part in a pilot;
    `repo` is the repository's key, empty when nothing names one, None before that was looked for.
    """

    created_s: float
    used_s: float
    pinned: Arm | None = None
    turns: int = 0
    prompt_tokens: int = 0
    warm_until_s: dict[Arm, float] = field(default_factory=dict)
    tried: tuple[Arm, ...] = ()
    spent: NanoUsd = NanoUsd(0)
    latched: bool = False
    posterior: object = None
    progress: Progress = _NOT_BEGUN
    trial: Trial | None = None
    repo: str | None = None

    def warm(self, arm: Arm, now_s: float) -> bool:
        """Tell whether `arm` is expected to have this conversation in its cache at `now_s`."""
        return self.warm_until_s.get(arm, float("-inf")) > now_s

    def answered(self, arm: Arm, *, now_s: float, prompt_tokens: int, cache_ttl_s: float, cost: NanoUsd) -> None:
        """Record a completed turn on `arm`. Raises ValueError on negative counts."""
        if prompt_tokens < 0 or cost < 0 or cache_ttl_s < 0:
            raise ValueError("a turn has no negative tokens, cost or time to live")
        self.pinned = arm
        self.turns += 1
        self.prompt_tokens = prompt_tokens
        self.spent = NanoUsd(self.spent + cost)
        self.warm_until_s = {a: t for a, t in self.warm_until_s.items() if t > now_s}
        self.warm_until_s[arm] = now_s + cache_ttl_s

    def failed(self, arm: Arm) -> None:
        """Record that `arm` was tried on the present task and rejected."""
        if arm not in self.tried:
            self.tried = (*self.tried, arm)

    def new_task(self) -> None:
        """Forget what belongs to one task; what belongs to the conversation stays."""
        self.tried = ()
        self.latched = False
        self.posterior = None
        self.progress = _NOT_BEGUN
        self.trial = None


class SessionTable:
    """Sessions by key: at most `capacity`, each forgotten after `ttl_s` without use, the least recently used first."""

    __slots__ = ("_capacity", "_sessions", "_ttl_s")

    def __init__(self, *, capacity: int = 20_000, ttl_s: float = 7200.0) -> None:
        if capacity < 1 or not ttl_s > 0:
            raise ValueError("a session table needs a capacity and a time to live above zero")
        self._capacity = capacity
        self._ttl_s = ttl_s
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def peek(self, key: str, now_s: float) -> Session | None:
        """Return the session without using it, or None when it is unknown or has expired."""
        session = self._sessions.get(key)
        return None if session is None or now_s - session.used_s > self._ttl_s else session

    def touch(self, key: str, now_s: float) -> Session:
        """Return the session of `key`, new when it is unknown or expired; a clock that jumps back does no harm."""
        session = self.peek(key, now_s)
        if session is None:
            session = Session(created_s=now_s, used_s=now_s)
            self._sessions[key] = session
        session.used_s = max(session.used_s, now_s)
        self._sessions.move_to_end(key)
        self._evict(now_s)
        return session

    def drop(self, key: str) -> None:
        """Forget a session; unknown keys are ignored."""
        self._sessions.pop(key, None)

    def _evict(self, now_s: float) -> None:
        while len(self._sessions) > self._capacity:
            self._sessions.popitem(last=False)
        # Expired ones sit at the old end; two per call keep pace with one arrival per call.
        for _ in range(2):
            oldest = next(iter(self._sessions), None)
            if oldest is None or now_s - self._sessions[oldest].used_s <= self._ttl_s:
                break
            del self._sessions[oldest]
