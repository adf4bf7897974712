"""The page of `leadflow preview`: what it shows of which reader, what it says of faults, and to whom it answers."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import open_app
from leadflow.db import make_engine
from leadflow.models import suppression
from leadflow.playbook.example import copy_example
from leadflow.settings import load_settings
from leadflow.web.preview import create_preview
from leadflow.web.site import create_site
from tests.apps import an_app
from tests.build import add_lead

WELCOME = "templates/emails/welcome/body.en.md"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, with one lead, number 7."""
    folder = tmp_path_factory.mktemp("preview") / "workspace"
    copy_example(folder)
    app = open_app(folder)
    with Session(app.engine) as session, session.begin():
        add_lead(session, 7, first_name="Zoé", language="en")
    app.engine.dispose()
    return folder


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[TestClient]:
    """Asks as a browser on this machine would."""
    site = create_preview(load_settings(place))
    with TestClient(site, base_url="http://127.0.0.1:8390", follow_redirects=False) as client:
        yield client


def test_each_variant_can_be_seen_and_a_lead_of_the_database_sees_theirs(client: TestClient, place: Path) -> None:
    asked = place / "templates/emails/still-useful/email.yaml"
    plain = asked.read_text(encoding="utf-8")
    asked.write_text(plain + "variants: {short: {share: 100 %, subject: Encore utiles ou non}}\n", encoding="utf-8")
    try:
        pages = {
            who: client.get(f"/?email=still-useful&language=en&ui=en&{who}").text
            for who in ("lead=sample", "variant=short", "lead=L-0007", "lead=L-0007&variant=original", "email=welcome")
        }
    finally:
        asked.write_text(plain, encoding="utf-8")
    short = {who for who, page in pages.items() if "<h1>Encore utiles ou non</h1>" in page}
    assert short == {"variant=short", "lead=L-0007"}
    assert 'value="short" checked><span>short 100 %' in pages["lead=L-0007"]


def test_the_page_shows_a_mail_in_a_frame_that_may_do_nothing(client: TestClient) -> None:
    page = client.get("/?email=welcome&language=en&lead=markup&ui=en")
    assert page.status_code == 200
    assert "<h1>What you’ll get from us, and how often</h1>" in page.text
    assert (
        '<iframe sandbox title="The mail" src="/mail?email=welcome&amp;lead=markup&amp;language=en&amp;ui=en"'
        in page.text
    )
    assert "Nothing: it is in order." in page.text
    assert '<a href="https://www.atelier-nord.example/en/guides/twelve-questions"' in page.text
    mail = client.get("/mail?email=welcome&lead=markup&language=en")
    assert "O&#39;Brien &amp; &lt;b&gt;" in mail.text
    policy = mail.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:;")


def test_the_page_answers_this_machine_alone(client: TestClient) -> None:
    answer = client.get("/", headers={"Host": "rebound.example"})
    assert (answer.status_code, "welcome" in answer.text) == (400, False)
    answer = client.get("/", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_each_view_shows_another_side(client: TestClient) -> None:
    mail = "email=welcome&language=fr"
    assert "Bonjour Claire,\n" in client.get(f"/?{mail}&part=text").text
    assert "&lt;!DOCTYPE html&gt;" in client.get(f"/?{mail}&part=source").text
    assert "img-src 'none'" in client.get(f"/mail?{mail}&images=off").headers["content-security-policy"]
    light, dark = client.get(f"/mail?{mail}").text, client.get(f"/mail?{mail}&light=dark").text
    assert dark == light.replace("(prefers-color-scheme: dark)", "(min-width: 0px)") != light
    assert 'class="paper phone"' in client.get(f"/?{mail}&width=phone").text


def test_somebody_who_lacks_a_value_is_told_apart(client: TestClient) -> None:
    page = client.get("/?email=offer-in-writing&language=en&lead=no-name")
    assert "this person would not get this mail: company.name is missing, and has no default" in page.text
    assert client.get("/mail?email=offer-in-writing&language=en&lead=no-name").status_code == 404


def test_an_address_is_answered_with_a_number_that_may_be_shared(client: TestClient) -> None:
    answer = client.get("/?email=welcome&who=P7@x.example&ui=en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?email=welcome&lead=L-0007&ui=en")
    assert client.get("/?email=welcome&lead=p7@x.example&ui=en").headers["location"] == answer.headers["location"]
    page = client.get(answer.headers["location"])
    assert "to Zoé" in page.text
    assert "p7@x.example" not in page.text
    assert "Hello Zoé," in client.get("/mail?email=welcome&lead=L-0007").text
    assert "nobody is known as who@x.example" in client.get("/?who=who@x.example").text


def test_what_nobody_knows_is_said_and_hurts_nobody(client: TestClient) -> None:
    assert "no email is called welcom. Did you mean welcome?" in client.get("/?email=welcom").text
    assert "nobody is known as ²" in client.get("/?lead=L-²").text
    assert client.get("/?lead=L-99999999999999999999").status_code == 404
    assert client.get("/?language=xx&part=x&width=x&light=x&images=x&ui=x").status_code == 200
    assert "img-src 'none'" in client.get("/mail?email=welcome&images=x").headers["content-security-policy"]


def test_the_page_speaks_french(client: TestClient) -> None:
    assert '<html lang="fr"' in client.get("/?ui=fr").text


def test_a_broken_file_shows_its_fault_and_the_page_lives_on(client: TestClient, place: Path) -> None:
    body = place / WELCOME
    good, before = body.read_text(), client.get("/print").text
    body.write_text(good + "{{ lead.firstname }}\n")
    assert client.get("/print").text != before
    page = client.get("/?email=welcome&language=en").text
    line = good.count("\n") + 1
    assert f"<code>{WELCOME}:{line}:4</code> <span>lead.firstname: did you mean lead.first_name?" in page
    assert "welcome — " in page, "the choices of before stay"
    assert client.get("/mail?email=welcome").status_code == 404
    body.write_text(good)
    assert "Hello Aoife," in client.get("/mail?email=welcome&language=en").text


def test_a_template_that_runs_wild_is_stopped_and_the_page_lives_on(client: TestClient, place: Path) -> None:
    body = place / WELCOME
    good = body.read_text()
    letters = "abcdefgh"
    loops = "".join(f"{{% for {letter} in brand.postal_address %}}" for letter in letters)
    body.write_text(f"{loops}x{'{% endfor %}' * len(letters)}\n\n{good}")
    page = client.get("/?email=welcome&language=en").text
    body.write_text(good)
    assert '<h1 class="refused">this mail cannot be written</h1>' in page
    assert re.search(r"too much memory|takes more time or memory than a mail may", page)
    assert "Hello Aoife," in client.get("/mail?email=welcome&language=en").text


def test_a_workspace_that_is_broken_from_the_start_says_where(place: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(place / "config", tmp_path / "config"))
    (broken / "leadflow.yaml").write_text("brand: [\n")
    with TestClient(create_preview(load_settings(tmp_path)), base_url="http://localhost") as client:
        page = client.get("/")
    assert (page.status_code, "config/leadflow.yaml:" in page.text) == (200, True)


def test_the_way_out_of_a_preview_takes_nobody_out(sqlite_url: str) -> None:
    app = an_app(make_engine(sqlite_url))
    with TestClient(create_site(app)) as door:
        english = {"Accept-Language": "en"}
        for answer in (door.get("/u/test", headers=english), door.post("/u/test", headers=english)):
            assert (answer.status_code, "Here it takes nobody out." in answer.text) == (200, True)
    with Session(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(suppression)) == 0
    app.engine.dispose()
