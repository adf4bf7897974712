"""`leadflow keys`: a key is shown once, kept as a hash, listed with its use, and revoked by its name."""

from datetime import UTC
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from typer import Typer
from typer.testing import CliRunner, Result

from leadflow.cli import keys
from leadflow.models import api_key


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest) -> str:
    """One will do: the statements are tried on both at the door."""
    return str(request.param)


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> "Run":
    opened = SimpleNamespace(engine=engine, office=UTC)
    monkeypatch.setattr(keys, "opened", lambda _workspace: opened)
    return Run()


class Run:
    """The commands, on the database of the test."""

    def __call__(self, *words: str) -> Result:
        app = Typer()
        keys.add_to(app)
        # A second command: with one alone, typer takes its group for the program.
        app.command("nothing")(lambda: None)
        return CliRunner().invoke(app, ["keys", *words])


def test_a_key_is_shown_once_listed_and_revoked(run: Run, engine: Engine) -> None:
    assert "there is no key" in run("list").output
    made = run("new", "shop", "--scope", "leads, deals")
    key = made.stdout.strip().splitlines()[-1]
    assert key.startswith("leadflow_")
    with Session(engine) as session:
        assert key not in str(session.execute(select(api_key)).all())
    listed = run("list").output
    assert "shop" in listed
    assert "deals, leads" in listed
    assert "never" in listed
    assert "shop is revoked" in run("revoke", "shop").output
    assert "revoked 2" in run("list").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("new", "shop", "--scope", "lead"), '"lead" is no scope. Did you mean leads?'),
        (("new", "shop", "--scope", ","), "name what the key may be used for: events, leads, deals, social"),
        (("new", "x" * 61), "a key's name has 1 to 60 characters, on one line"),
        (("revoke", "shpo"), 'there is no key called "shpo". Did you mean shop?'),
        (("new", "shop"), 'there is a key called "shop" already: choose another name'),
    ],
)
def test_what_cannot_be_is_said_in_words(run: Run, words: tuple[str, ...], says: str) -> None:
    run("new", "shop")
    done = run(*words)
    assert (done.exit_code, done.stderr.strip()) == (2, says)
