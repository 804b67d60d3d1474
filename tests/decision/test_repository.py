import pytest

from suffice.decision.repository import SIGNAL, folder_of, repo_key, repo_of

SECRET = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        (
            "Here is the environment:\n<env>\nWorking directory: /srv/ann/shop\nIs directory a git repo: Yes",
            "/srv/ann/shop",
        ),
        (" - Primary working directory: /srv/app/\n", "/srv/app"),
        ("<environment_context>\n  <cwd>/srv/api</cwd>\n  <shell>bash</shell>", "/srv/api"),
        ("I'm currently working in the directory: /srv/ann/shop\n", "/srv/ann/shop"),
        ("# Current Working Directory (/srv/ann/shop) Files", "/srv/ann/shop"),
        ("Working directory: C:\\src\\shop\n", "C:\\src\\shop"),
        ("Working directory: `~/shop`.", "~/shop"),
        ("The working directory is clean.", ""),
        ("Write a function that lists the files in the directory given.", ""),
        ("", ""),
    ],
)
def test_the_folder_that_an_agent_names(text: str, folder: str) -> None:
    assert folder_of(text) == folder


def test_a_key_is_of_the_tenant_and_shows_nothing() -> None:
    one = repo_key(SECRET, "t", "", ("no folder here", "Working directory: /srv/ann/shop"))
    assert len(one) == 16 and "shop" not in one
    assert one == repo_key(SECRET, "t", "/srv/ann/shop", ())
    assert one != repo_key(SECRET, "u", "/srv/ann/shop", ()) and one != repo_key(SECRET[::-1], "t", "/srv/ann/shop", ())
    assert repo_key(SECRET, "t", "acme/shop", ("Working directory: /srv/ann/shop",)) != one  # the header goes first
    assert repo_key(SECRET, "t", "  ", ("hello",)) == ""


def test_signals_carry_the_key() -> None:
    assert repo_of(("verb:fix", f"{SIGNAL}abc", "tests")) == "abc" and repo_of(("verb:fix",)) == ""
