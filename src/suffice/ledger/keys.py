"""Virtual keys: who may ask for what, on whose money.

A key is `sk-sf-<id>.<secret>`; the store has only HMAC-SHA-256(pepper, key). Must not log or keep a key's text.
Invariants: a malformed key is refused without any look-up; digests are compared in constant time; a child key has no
right that its parent has not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from suffice.errors import AuthError, ForbiddenError, NotFoundError, StorageError
from suffice.storage import tables
from suffice.storage.database import Database
from suffice.storage.tables import KeyRow
from suffice.values.env import Env

ID_BYTES, SECRET_BYTES, PEPPER_BYTES = 10, 32, 32
_FORM = re.compile(r"sk-sf-([a-z2-7]{16})\.([A-Za-z0-9_-]{43})")
_WILD = frozenset("*?[")
_MAX_CHARS = 80
MAX_DIGESTS = 10_000


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a key may do. `allowed_models` are glob patterns; `repair_usd` is the value of a failed task, "" for the default."""

    name: str = ""
    owner: str = ""
    team: str = ""
    allowed_models: tuple[str, ...] = ("*",)
    budgets: tuple[str, ...] = ()
    data_class: str = ""
    repair_usd: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key without its secret. Times in epoch seconds, 0 for never."""

    id: str
    grant: Grant
    created_s: int
    expires_s: int = 0
    revoked_s: int = 0

    def allows(self, model: str) -> bool:
        """Whether this key may use a model."""
        return any(fnmatchcase(model, pattern) for pattern in self.grant.allowed_models)


def load_pepper(path: Path, env: Env) -> bytes:
    """Return the pepper, made on first use (0600). Raises StorageError when unreadable, open to others, or cut short."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{env.new_id()}")
        if not path.exists():
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, env.token_bytes(PEPPER_BYTES))
                os.fsync(fd)
            finally:
                os.close(fd)
            try:
                os.link(fresh, path)  # of two processes that start at once, one wins
            except FileExistsError:
                pass
            fresh.unlink()
        if path.stat().st_mode & 0o077:
            raise StorageError(f"{path} can be read by other users", hint=f"chmod 600 {path}")
        pepper = path.read_bytes()
    except OSError as error:
        raise StorageError(f"the pepper of the keys, {path}, cannot be used: {error.strerror}") from error
    if len(pepper) != PEPPER_BYTES:
        raise StorageError(f"{path} is not a pepper", hint="restore it from a backup; without it every key is void")
    return pepper


class KeyStore:
    """All keys in memory, the store behind them; another process's changes arrive within a second."""

    def __init__(self, env: Env, database: Database, pepper: bytes) -> None:
        self._env = env
        self._database = database
        self._pepper = pepper
        self._rows: dict[str, tuple[KeyRow, KeyRecord]] = {}
        self._generation = -1
        self._nobody = self._digest("nobody")
        self._digests: dict[bytes, bytes] = {}
        # Of this process only, so that what is remembered can neither be guessed nor compared with anything stored.
        self._mark_key = env.token_bytes(32)
        self._unlisten: Callable[[], None] | None = None

    def start(self) -> None:
        """Load the keys and follow changes. Blocks on the store. Raises StorageError."""
        with self._database.reader() as session:
            self._load(tables.generation(session), tables.keys(session))
        self._unlisten = self._database.listen(self._tick)

    def stop(self) -> None:
        """Follow no more changes."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    @property
    def empty(self) -> bool:
        """Whether no key exists at all: the data plane then stays on loopback."""
        return not self._rows

    def authenticate(self, text: str) -> KeyRecord:
        """Return the record of a key. Raises AuthError, with one message for every cause that a stranger could probe."""
        form = _FORM.fullmatch(text) if len(text) <= _MAX_CHARS else None
        if form is None:
            raise AuthError("this is not an API key of this gateway", hint="send `Authorization: Bearer sk-sf-...`")
        found = self._rows.get(form[1])
        mark = self._mark(text)
        digest = self._digests.get(mark) or self._digest(text)
        now = self._env.now()
        row = found[0] if found else None
        current = hmac.compare_digest(digest, row.digest if row else self._nobody)
        # An empty digest never matches; the comparison runs always, so that the time tells nothing.
        previous = hmac.compare_digest(digest, (row.previous_digest if row else b"") or self._nobody)
        if row is None or found is None or not (current or (previous and now < row.previous_until_s)):
            raise AuthError("unknown API key")
        if row.revoked_s and row.revoked_s <= now:
            raise AuthError("this API key was revoked", code="key_revoked")
        if row.expires_s and row.expires_s <= now:
            raise AuthError("this API key has expired", code="key_expired")
        if len(self._digests) < MAX_DIGESTS:
            self._digests[mark] = digest
        return found[1]

    def _mark(self, text: str) -> bytes:
        """Return the keyed hash of a key's text, under which the digest of one that was right before is remembered.

        OpenSSL's HMAC costs twenty times the keyed hash. Whether a key is valid is decided by the caller each time.
        """
        return hashlib.blake2b(text.encode(), key=self._mark_key, digest_size=32).digest()

    def create(self, grant: Grant, *, expires_s: int = 0, parent: KeyRecord | None = None) -> tuple[str, KeyRecord]:
        """Make a key: returns (its text, shown only now; its record). Blocks on the store.

        Raises ForbiddenError when it would have a right that `parent` has not, StorageError.
        """
        if parent is not None:
            _within(grant, expires_s, parent)
        ident = base64.b32encode(self._env.token_bytes(ID_BYTES)).decode().lower()
        text = self._text(ident)
        row = KeyRow(
            ident, self._digest(text), b"", 0, int(self._env.now()), expires_s, 0, msgspec.json.encode(grant).decode()
        )
        self._store(row, new=True)
        return text, _record(row)

    def list(self) -> tuple[KeyRecord, ...]:
        """Return every key, oldest first, revoked ones included."""
        return tuple(sorted((record for _, record in self._rows.values()), key=lambda r: (r.created_s, r.id)))

    def find(self, text: str) -> KeyRecord:
        """Return the key that a person means: by its id, its beginning `sk-sf-<id>`, or a name that only one key in force has.

        Raises NotFoundError, with what the name might have meant.
        """
        known = self._rows.get(text.removeprefix("sk-sf-").partition(".")[0])
        if known is not None:
            return known[1]
        named = [record for _, record in self._rows.values() if record.grant.name == text and not record.revoked_s]
        if len(named) == 1:
            return named[0]
        if named:
            ids = ", ".join(sorted(record.id for record in named))
            raise NotFoundError(f"{len(named)} keys are called {text!r}", hint=f"name one by its id: {ids}")
        shown = "that" if "." in text else f"{text[:64]!r}"
        words = [w for _, r in self._rows.values() for w in (r.id, r.grant.name) if w]
        near = get_close_matches(text, words, 1)
        hint = f"did you mean {near[0]!r}?" if near else "`suffice keys list` shows them"
        raise NotFoundError(f"there is no key {shown}", hint=hint)

    def revoke(self, key_id: str) -> KeyRecord:
        """Refuse a key from now on. Blocks on the store. Raises NotFoundError, StorageError."""
        row = self._row(key_id)
        if not row.revoked_s:
            row = row._replace(revoked_s=int(self._env.now()))
            self._store(row, new=False)
        return _record(row)

    def rotate(self, key_id: str, *, grace_s: float = 0.0) -> tuple[str, KeyRecord]:
        """Give a key a new secret; the old one stays valid for `grace_s` seconds. Raises NotFoundError, ForbiddenError."""
        row = self._row(key_id)
        if row.revoked_s:
            raise ForbiddenError(f"key {key_id} is revoked", hint="create a new key")
        text = self._text(key_id)
        row = row._replace(
            digest=self._digest(text), previous_digest=row.digest, previous_until_s=int(self._env.now() + grace_s)
        )
        self._store(row, new=False)
        return text, _record(row)

    def _text(self, ident: str) -> str:
        secret = base64.urlsafe_b64encode(self._env.token_bytes(SECRET_BYTES)).decode().rstrip("=")
        return f"sk-sf-{ident}.{secret}"

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._pepper, text.encode(), hashlib.sha256)

    def _row(self, key_id: str) -> KeyRow:
        found = self._rows.get(key_id)
        if found is None:
            raise NotFoundError(f"there is no key {key_id}", hint="`suffice keys list` shows them")
        return found[0]

    def _store(self, row: KeyRow, *, new: bool) -> None:
        self._database.call(lambda session: tables.put_key(session, row, new=new)).result()
        self._rows = {**self._rows, row.id: (row, _record(row))}

    def _tick(self, generation: int) -> None:
        if generation != self._generation:
            with self._database.reader() as session:
                self._load(tables.generation(session), tables.keys(session))

    def _load(self, generation: int, rows: Iterable[KeyRow]) -> None:
        self._rows = {row.id: (row, _record(row)) for row in rows}
        self._generation = generation


def _record(row: KeyRow) -> KeyRecord:
    grant = msgspec.json.decode(row.fields, type=Grant)
    return KeyRecord(id=row.id, grant=grant, created_s=row.created_s, expires_s=row.expires_s, revoked_s=row.revoked_s)


def covers(wide: str, narrow: str) -> bool:
    """Whether every model that pattern `narrow` allows is allowed by `wide`, as far as that is plain to see."""
    if wide == narrow or wide == "*":
        return True
    if not _WILD & set(narrow):
        return fnmatchcase(narrow, wide)
    stem = wide[:-1]
    return wide.endswith("*") and not _WILD & set(stem) and narrow.startswith(stem)


def _within(grant: Grant, expires_s: int, parent: KeyRecord) -> None:
    rights = parent.grant
    wrong = ""
    if not all(any(covers(wide, narrow) for wide in rights.allowed_models) for narrow in grant.allowed_models):
        wrong = "models"
    elif not set(rights.budgets) <= set(grant.budgets):
        wrong = "budgets"
    elif parent.expires_s and not 0 < expires_s <= parent.expires_s:
        wrong = "expiry"
    elif rights.team and grant.team != rights.team:
        wrong = "team"
    elif rights.owner and grant.owner != rights.owner:
        wrong = "owner"
    elif rights.data_class and grant.data_class != rights.data_class:
        wrong = "data class"
    if wrong:
        raise ForbiddenError(f"a key cannot give away more than it has: {wrong}", param=wrong)
