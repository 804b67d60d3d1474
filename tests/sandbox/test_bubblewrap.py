"""The command line of bubblewrap says what the design says."""

from __future__ import annotations

from pathlib import Path

from suffice.sandbox import bubblewrap
from suffice.sandbox.limits import Limits


def _command(**changes: object) -> list[str]:
    arguments: dict[str, object] = {
        "bwrap": "/b/bwrap", "python": "/p/bin/python3", "visible": ["/p"], "source": "/stage/src", "overlay": None,
        "variables": {"A": "b"}, "limits": Limits(processes=7), "seccomp_fd": 9, "ready_fd": 8,
    }  # fmt: skip
    return bubblewrap.command(["python3", "-c", "pass"], **(arguments | changes))  # type: ignore[arg-type]


def test_nothing_of_the_confinement_is_missing() -> None:
    args = _command()
    for flag in ("user", "pid", "net", "ipc", "uts"):
        assert f"--unshare-{flag}" in args
    for flag in ("--die-with-parent", "--new-session", "--disable-userns", "--assert-userns-disabled", "--clearenv"):
        assert flag in args
    text = " ".join(args)
    for part in (
        "--cap-drop ALL",
        "--remount-ro /proc",
        "--remount-ro /dev",
        "--remount-ro / --seccomp 9 --",
        "--uid 65534",
    ):
        assert part in text
    assert "--share-net" not in args
    assert "--bind" not in args
    assert args[-4:] == ["7", "python3", "-c", "pass"]


def test_an_overlay_is_shown_read_only() -> None:
    args = _command(overlay="/stage/over")
    at = args.index("/over")
    assert args[at - 2 : at + 1] == ["--ro-bind", "/stage/over", "/over"]
    assert "/over" not in _command()


def test_the_layout_of_the_host_is_kept(tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "lib").mkdir()
    args = bubblewrap.system_binds(tmp_path)
    assert args[3:6] == ["--symlink", "usr/bin", "/bin"]
    assert args[6:9] == ["--ro-bind", "/lib", "/lib"]
    assert "/sbin" not in args


def test_bubblewrap_is_found_in_its_package() -> None:
    path = bubblewrap.find_bwrap()
    assert path is not None
    assert path.name == "bwrap"
