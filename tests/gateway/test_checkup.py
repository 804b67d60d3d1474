from datetime import date

import pytest

from suffice.config.load import parse
from suffice.gateway import checkup
from suffice.gateway.checkup import Check, State
from suffice.ledger.folder import Folder
from suffice.ledger.keys import Grant, KeyStore, load_pepper
from suffice.storage.database import Database
from suffice.values.system_env import SystemEnv

ENV = SystemEnv()


def states(checks):
    return [(c.name, c.state.value) for c in checks]


def settings(text=""):
    return parse("version = 1\n" + text, "suffice.toml", {}, None)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "store")


@pytest.fixture
def database(folder):
    database = Database(ENV, folder.database)
    database.open()
    yield database
    database.close()


def test_an_empty_configuration_warns_and_warnings_are_repeated():
    assert states(checkup.configuration(settings())) == [("configuration", "warning")]
    doubtful = parse('[endpoints.a]\nprovider = "openai"\n', "suffice.toml", {}, None)
    found = checkup.configuration(doubtful)
    assert found[0].state is State.OK and "suffice.toml" in found[1].message and found[1].fix


def test_a_store_that_is_not_there_is_not_made(folder):
    found = checkup.storage(folder, ENV)
    assert ("storage", "ok") in states(found) and not folder.root.exists()


def test_a_store_in_use_and_out_of_use(folder, database):
    assert "a gateway is using it" in checkup.storage(folder, ENV)[-1].message and checkup.gateway_runs(folder)
    database.close()
    assert "no gateway" in checkup.storage(folder, ENV)[-1].message and not checkup.gateway_runs(folder)
    assert not [p for p in folder.root.iterdir() if p.name.startswith(".probe")]


def test_a_damaged_database_and_a_file_in_the_way(folder, tmp_path):
    folder.root.mkdir()
    folder.database.write_bytes(b"this is no database" * 100)
    found = checkup.storage(folder, ENV)[-1]
    assert found.state is State.UNREACHABLE and found.fix
    (tmp_path / "file").write_text("")
    assert checkup.storage(Folder(tmp_path / "file" / "store"), ENV)[0].state is State.FAILED


def test_journals_of_dead_gateways(folder, database):
    database.close()
    (folder.journal / "boot").mkdir(parents=True)
    (folder.journal / "old.kept").mkdir()
    found = {c.name: c for c in checkup.storage(folder, ENV)}
    journals = [c for c in checkup.storage(folder, ENV) if c.name == "journal"]
    assert found["storage"].state is State.OK and len(journals) == 2
    assert "next `suffice serve`" in journals[1].fix


def test_little_room(folder, monkeypatch):
    from types import SimpleNamespace

    for free, state in [(1 << 40, "ok"), (500 << 20, "warning"), (1 << 20, "failed")]:
        monkeypatch.setattr(checkup.shutil, "disk_usage", lambda root, free=free: SimpleNamespace(free=free))
        assert ("disk", state) in states(checkup.storage(folder, ENV))


def test_the_age_of_the_price_table():
    def at(day):
        return checkup.prices("2026-11-22", "v", 3000, date.fromisoformat(day))

    assert at("2026-12-22").state is State.OK and "2026-11-22" in at("2026-12-22").message
    assert at("2026-12-23").state is State.WARNING and "31 days" in at("2026-12-23").message
    assert "future" in at("2026-11-01").message


def test_who_can_reach_the_listener(folder, database):
    opened = settings('[server]\nhost = "0.0.0.0"\n')
    assert checkup.listener(settings(), folder, ENV).state is State.OK
    assert checkup.listener(opened, folder, ENV).state is State.FAILED
    assert not folder.pepper.exists()
    store = KeyStore(ENV, database, load_pepper(folder.pepper, ENV))
    text, record = store.create(Grant(name="n"))
    found = checkup.listener(opened, folder, ENV)
    assert found.state is State.OK and "1 valid" in found.message and text not in found.message
    store.revoke(record.id)
    assert checkup.listener(opened, folder, ENV).state is State.FAILED
    folder.pepper.chmod(0o644)
    assert "chmod 600" in checkup.listener(opened, folder, ENV).fix


async def test_a_sandbox_that_is_off_is_not_started():
    off = await checkup.sandbox(settings('[verify]\nsandbox = "off"\n'))
    assert off.state is State.SKIPPED


async def test_a_sandbox_reports_or_says_why_not(monkeypatch):
    from types import SimpleNamespace

    from suffice.errors import SandboxError

    class Fake:
        error = None

        async def start(self):
            if Fake.error:
                raise Fake.error
            return SimpleNamespace(tier="bubblewrap", probes=22)

        async def stop(self):
            pass

    monkeypatch.setattr(checkup, "find_spec", lambda name: None)
    assert (await checkup.sandbox(settings())).state is State.SKIPPED
    monkeypatch.setattr(checkup, "find_spec", lambda name: name)
    monkeypatch.setattr(checkup, "import_module", lambda name: SimpleNamespace(Sandbox=Fake))
    assert "22 probes" in (await checkup.sandbox(settings())).message
    Fake.error = SandboxError("no tier works here", hint="allow user namespaces")
    found = await checkup.sandbox(settings())
    assert found.state is State.UNREACHABLE and found.fix == "allow user namespaces"


def test_what_all_amount_to():
    def made(*given):
        return checkup.worst([Check(name="x", state=s, message="") for s in given])

    assert made(State.OK, State.WARNING, State.SKIPPED) is State.OK
    assert made(State.OK, State.FAILED) is State.FAILED
    assert made(State.FAILED, State.UNREACHABLE) is State.UNREACHABLE
