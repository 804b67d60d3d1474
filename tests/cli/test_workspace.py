import argparse
from pathlib import Path

import pytest

from suffice.catalog.load import load
from suffice.cli import workspace
from suffice.cli.command import Io
from suffice.config.problem import InvalidConfigError
from suffice.errors import NotFoundError
from suffice.ledger.folder import Folder
from suffice.values.system_env import SystemEnv


def world(folder, **env_vars):
    return Io(out=None, env_vars={"HOME": str(folder), **env_vars}, env=SystemEnv(), working=folder)


def test_a_file_is_taken_as_it_is_and_without_one_keys_are_found(tmp_path):
    args = argparse.Namespace(config=None)
    io = world(tmp_path, OPENAI_API_KEY="sk-0123456789abcdef")
    assert not workspace.configured(args, io).endpoints
    assert "openai" in workspace.effective(args, io).endpoints
    (tmp_path / "suffice.toml").write_text("version = 1\n")
    assert not workspace.effective(args, io).endpoints


def test_secrets_are_read_only_where_they_are_needed(tmp_path):
    args, io = argparse.Namespace(config=None), world(tmp_path)
    (tmp_path / "suffice.toml").write_text(
        'version = 1\n[endpoints.a]\nprovider = "openai"\napi_key = "${NOT_THERE}"\n'
        '[endpoints.b]\nprovider = "openai"\napi_key = "file:nowhere"\n'
    )
    assert workspace.configured(args, io).endpoints["a"].api_key.origin == "env:NOT_THERE"
    assert workspace.effective(args, io, secrets=False).endpoints["b"].api_key.origin == "file:nowhere"
    with pytest.raises(InvalidConfigError, match="NOT_THERE"):
        workspace.effective(args, io)


def test_nothing_is_made_by_looking(tmp_path):
    io = world(tmp_path, SUFFICE_STORAGE=str(tmp_path / "s"))
    folder = workspace.folder_of(workspace.configured(argparse.Namespace(config=None), io), io)
    assert folder.root == tmp_path / "s"
    with pytest.raises(NotFoundError, match="nothing is stored"), workspace.opened(io, folder):
        pass
    assert not folder.root.exists()
    with workspace.opened(io, folder, create=True), workspace.opened(io, folder) as second:
        assert second.path == folder.database


def test_the_catalogue_is_the_bundled_one_until_it_is_refreshed():
    assert workspace.catalogue(Folder(Path("/nonexistent"))).version == load().version
