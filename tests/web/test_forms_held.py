"""The doors of forms and pages under whatever is thrown at them: no error of ours, and no change by looking."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.errors import LinkError
from leadflow.links import read_download, read_form, read_reader, sign_download, sign_form, sign_reader
from leadflow.models import metadata
from tests.web.books import a_form, asked, with_forms

KEY = "k" * 32
NAMES = ("email", "first_name", "employees", "deadline", "phone", "_at", "_who", "consent.newsletter", "lang")
ODD = ("a@b.example", "letter.1.x", "\0", "９", "1e400", "http://[", "%zz", "fr")
PATHS = (
    "/f/letter",
    "/f/letter.js",
    "/f/letter/thanks",
    "/f/%00",
    "/p/letter",
    "/d/letter",
    "/sitemap.xml",
    "/robots.txt",
)
TEXT = st.text(max_size=60) | st.sampled_from(ODD)


@pytest.fixture
def app(engine: Engine) -> App:
    return with_forms(engine, a_form(questions=tuple(map(asked, NAMES[:5]))))


def rows(app: App) -> dict[str, int]:
    with Session(app.engine) as session:
        counts = {name: session.scalar(select(func.count()).select_from(t)) for name, t in metadata.tables.items()}
    return {name: count for name, count in counts.items() if count}


@given(fields=st.dictionaries(st.sampled_from(NAMES), TEXT), site=st.booleans())
def test_no_form_is_an_error_of_ours(client: TestClient, fields: dict[str, str], site: bool) -> None:
    headers = {"Origin": "https://a.example"} if site else {}
    assert client.post("/forms/letter", data=fields, headers=headers).status_code in (303, 422)


@given(body=st.binary(max_size=300), kind=st.sampled_from(["multipart/form-data; boundary=x", "text/plain", ""]))
def test_no_body_is_an_error_of_ours(client: TestClient, body: bytes, kind: str) -> None:
    headers = {"Content-Type": kind or "application/x-www-form-urlencoded"}
    assert client.post("/forms/letter", content=body, headers=headers).status_code in (303, 400, 415, 422)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(app: App, client: TestClient, method: str) -> None:
    before = rows(app)
    asked_for = "lang=xx&who=a.b.c&got=%00&embed=1&page=%ff&referrer=http://[&utm_source=" + "x" * 500
    for path in PATHS:
        for purpose in ({}, {"Sec-Purpose": "prefetch"}):
            answer = client.request(method, f"{path}?{asked_for}", headers={**purpose, "Referer": "http://["})
            assert answer.status_code in (200, 303, 404)
    assert client.request(method, "/forms/letter").status_code == 405
    assert rows(app) == before


def forged() -> Iterator[str]:
    made = [
        sign_form(KEY, "letter", 1),
        sign_reader(KEY, 7, 9),
        sign_download(KEY, "letter", 9),
        "",
        ".",
        "é.1.2",
        "a.b.c.d",
    ]
    for word in made:
        yield word[:-1]
        yield word + "0"
        yield word.replace("1", "2", 1).replace("9", "8", 1).replace("letter", "other")


@pytest.mark.parametrize("word", list(forged()))
def test_a_forged_word_is_none(word: str) -> None:
    with pytest.raises(LinkError):
        read_form(KEY, "letter", word)
    with pytest.raises(LinkError):
        read_reader(KEY, word, 0)
    with pytest.raises(LinkError):
        read_download(KEY, word, 0)


def test_a_word_of_one_purpose_serves_no_other() -> None:
    for word in (sign_form(KEY, "7", 9), sign_download(KEY, "7", 9)):
        with pytest.raises(LinkError):
            read_reader(KEY, word, 0)
    with pytest.raises(LinkError):
        read_form(KEY, "letter", sign_form(KEY, "other", 9))
