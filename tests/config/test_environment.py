from dataclasses import replace
from pathlib import Path

from suffice.config import environment
from suffice.config.load import parse
from suffice.config.origin import Origin
from suffice.config.schema import Settings, StorageSettings
from suffice.config.setting import walk

HERE = Path("/work")


def test_variables_set_settings_that_exist():
    every = {path for path, _ in walk(Settings)}
    for variable in environment.VARIABLES:
        assert variable.name.startswith("SUFFICE_") and variable.help.endswith(".")
        assert not variable.setting or variable.setting in every


def test_every_override_reaches_its_setting():
    values = {
        "SUFFICE_PORT": "1",
        "SUFFICE_CONTROL_PORT": "2",
        "SUFFICE_LOG_LEVEL": "debug",
        "SUFFICE_CONTROL_SECRET": "a-long-secret-text",
    }
    for variable in environment.VARIABLES:
        if variable.setting:
            text = values.get(variable.name, "some$where")
            text = "127.0.0.2" if variable.name.endswith("HOST") else text
            settings = parse("", "", {variable.name: text}, HERE)
            value = getattr(getattr(settings, variable.setting[0]), variable.setting[1])
            assert (value.reveal() if variable.secret else str(value)) == text


def test_unknown_variables_are_warned_about():
    found = environment.unknown({"SUFFICE_CONFG": "x", "PATH": "y", "SUFFICE_PORT": "1"})
    assert [p.file for p in found] == ["environment variable SUFFICE_CONFG"]
    assert "'SUFFICE_CONFIG'" in found[0].hint and found[0].warning


def test_folders():
    bare = Settings()
    assert environment.storage_folder(bare, {"HOME": "/h"}, HERE) == Path("/h/.local/share/suffice")
    assert environment.storage_folder(bare, {"XDG_DATA_HOME": "/d"}, HERE) == Path("/d/suffice")
    placed = Settings(storage=StorageSettings(path="data"), origin=Origin(file="/etc/x/suffice.toml"))
    assert environment.storage_folder(placed, {}, HERE) == Path("/etc/x/data")
    overridden = replace(placed, origin=replace(placed.origin, overrides={("storage", "path"): "SUFFICE_STORAGE"}))
    assert environment.storage_folder(overridden, {}, HERE) == HERE / "data"
    assert environment.folder_of(Origin(), HERE) == HERE


def test_snapshot_is_a_copy(monkeypatch):
    monkeypatch.setenv("SUFFICE_PORT", "5")
    taken = environment.snapshot()
    monkeypatch.delenv("SUFFICE_PORT")
    assert taken["SUFFICE_PORT"] == "5"
