from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import AuthError, ForbiddenError, NotFoundError, StorageError
from suffice.ledger.keys import Grant, KeyStore, covers, load_pepper
from suffice.storage.database import Database


@pytest.fixture
def database(tmp_path, env):
    database = Database(env, tmp_path / "s.db")
    database.open()
    yield database
    database.close()


@pytest.fixture
def store(tmp_path, env, database):
    store = KeyStore(env, database, load_pepper(tmp_path / "pepper", env))
    store.start()
    yield store
    store.stop()


def test_a_key_opens_what_it_was_made_for_and_its_text_is_stored_nowhere(store, tmp_path, database):
    assert store.empty
    text, record = store.create(Grant(name="ci", team="core", allowed_models=("openai/*",), budgets=("b",)))
    assert store.authenticate(text) == record and record.allows("openai/gpt") and not record.allows("x/gpt")
    database.close()
    assert text.split(".")[1].encode() not in b"".join(p.read_bytes() for p in tmp_path.iterdir() if p.is_file())
    database.open()


@given(st.text(max_size=90))
def test_what_is_no_key_is_refused_without_a_look_up(text):
    store = KeyStore.__new__(KeyStore)  # no rows at all: a look-up would fail
    with pytest.raises(AuthError):
        store.authenticate(text)


def test_a_wrong_secret_and_an_unknown_id_get_the_same_answer(store):
    text, _ = store.create(Grant())
    last = "A" if text[-1] != "A" else "B"
    told = set()
    for wrong in (text[:-1] + last, "sk-sf-" + "a" * 16 + text[22:]):
        with pytest.raises(AuthError) as error:
            store.authenticate(wrong)
        told.add(str(error.value))
    assert told == {"unknown API key"}


def test_expired_and_revoked_keys_are_refused(store, env):
    text, record = store.create(Grant(), expires_s=int(env.at_s) + 10)
    other, second = store.create(Grant())
    env.at_s += 10
    with pytest.raises(AuthError, match="expired"):
        store.authenticate(text)
    store.revoke(second.id)
    with pytest.raises(AuthError, match="revoked"):
        store.authenticate(other)
    with pytest.raises(ForbiddenError):
        store.rotate(second.id)
    with pytest.raises(NotFoundError):
        store.revoke("nobody")
    assert {key.id for key in store.list()} == {record.id, second.id}


def test_a_rotated_key_has_a_grace_period(store, env):
    old, record = store.create(Grant())
    new, _ = store.rotate(record.id, grace_s=60)
    assert store.authenticate(old).id == store.authenticate(new).id == record.id
    env.at_s += 60
    with pytest.raises(AuthError):
        store.authenticate(old)
    store.authenticate(new)


def test_a_revocation_by_a_command_reaches_a_running_gateway(store, tmp_path, env, database):
    text, record = store.create(Grant())
    store.authenticate(text)
    command = Database(env, database.path, exclusive=False)
    command.open()
    other = KeyStore(env, command, load_pepper(tmp_path / "pepper", env))
    other.start()
    other.revoke(record.id)
    other.stop()
    command.close()
    pause = threading.Event()
    for _ in range(1000):
        try:
            store.authenticate(text)
        except AuthError:
            break
        pause.wait(0.01)
    else:
        pytest.fail("the revocation never arrived")


def test_a_child_gets_no_right_that_its_parent_has_not(store, env):
    later = int(env.at_s) + 100
    _, parent = store.create(Grant(allowed_models=("openai/*",), budgets=("b",), team="core"), expires_s=later)
    good = Grant(allowed_models=("openai/gpt-*",), budgets=("b", "c"), team="core")
    store.create(good, expires_s=later, parent=parent)
    wider = [
        (Grant(allowed_models=("*",), budgets=("b",), team="core"), later),
        (Grant(allowed_models=("openai/x",), team="core"), later),
        (Grant(allowed_models=("openai/x",), budgets=("b",), team="other"), later),
        (good, later + 1),
        (good, 0),
    ]
    for grant, expires in wider:
        with pytest.raises(ForbiddenError, match="more than it has"):
            store.create(grant, expires_s=expires, parent=parent)


@given(*[st.text("ab*?", max_size=4)] * 2, st.lists(st.text("ab", max_size=4), max_size=20))
def test_a_pattern_that_covers_another_allows_all_that_it_allows(wide, narrow, names):
    from fnmatch import fnmatchcase

    if covers(wide, narrow):
        assert all(fnmatchcase(name, wide) for name in names if fnmatchcase(name, narrow))


def test_the_pepper_is_made_once_and_kept_closed(tmp_path, env):
    path = tmp_path / "p"
    assert load_pepper(path, env) == load_pepper(path, env) and path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(StorageError, match="other users"):
        load_pepper(path, env)
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(StorageError, match="not a pepper"):
        load_pepper(path, env)


def test_a_remembered_digest_opens_nothing_that_the_key_does_not(store, env):
    text, record = store.create(Grant(name="n"))
    assert store.authenticate(text) == store.authenticate(text) == record
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), text[:-2]):
        with pytest.raises(AuthError):
            store.authenticate(wrong)
    assert text.encode() not in b"".join((*store._digests, *store._digests.values()))
    store.revoke(record.id)
    env.at_s += 5
    with pytest.raises(AuthError, match="revoked"):
        store.authenticate(text)
