"""SendGrid: the body its own description asks for, and what each answer means."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from sendgrid.helpers import mail as helpers

from leadflow.email.mime import unsubscribe_headers
from leadflow.errors import (
    OutageError,
    RefusedError,
    RetryableError,
    SettingsError,
    UnknownOutcomeError,
    UnsupportedFeatureError,
)
from leadflow.esp import sendgrid
from leadflow.esp.sendgrid import SendGridProvider, build_body
from leadflow.settings import Settings
from tests.esp.mail import a_mail, send
from tests.esp.worlds import World, hang_up, sendgrid_world

_SHARED = Path(os.environ.get("LEADFLOW_SHARED") or Path(__file__).parents[3] / "shared")


@pytest.fixture
def world() -> Iterator[World]:
    with sendgrid_world() as world:
        yield world


@pytest.fixture
def provider(world: World) -> SendGridProvider:
    return SendGridProvider(world.url, "SG.key")


def test_the_body_is_what_the_official_description_asks_for() -> None:
    path = _SHARED / "data/sendgrid/tsg_mail_v3.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not there: the body of mail/send was checked against nothing official")
    jsonschema = pytest.importorskip("jsonschema", reason="Prefect brings it")
    described = json.loads(path.read_text())
    schema = described["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    rules = jsonschema.Draft202012Validator({**schema, "components": described["components"]})
    assert [error.message for error in rules.iter_errors(build_body(a_mail()))] == []
    assert [error.message for error in rules.iter_errors(build_body(a_mail(to_name="")))] == []


@pytest.mark.parametrize("said", [{}, {"to_name": "", "from_name": ""}, {"arguments": {}, "headers": {"X-A": "b"}}])
def test_the_body_is_the_one_its_own_library_builds(said: dict[str, Any]) -> None:
    mail = a_mail(**said)
    theirs = helpers.Mail(
        from_email=helpers.Email(mail.from_address, mail.from_name),
        to_emails=helpers.To(mail.to, mail.to_name or None),
        subject=mail.subject,
    )
    theirs.reply_to = helpers.ReplyTo(mail.reply_to)
    theirs.content = [helpers.Content("text/plain", mail.text), helpers.Content("text/html", mail.html)]
    theirs.category = helpers.Category(mail.email)
    for name, value in {**unsubscribe_headers(mail), **mail.headers}.items():
        theirs.header = helpers.Header(name, value)
    for name, value in mail.arguments.items():
        theirs.custom_arg = helpers.CustomArg(name, value, p=0)
    theirs.tracking_settings = helpers.TrackingSettings(
        click_tracking=helpers.ClickTracking(enable=False, enable_text=False),
        open_tracking=helpers.OpenTracking(enable=False),
        subscription_tracking=helpers.SubscriptionTracking(enable=False),
    )
    assert theirs.get() == build_body(mail)


def test_what_is_ready_as_json_goes_out_as_it_is() -> None:
    said = {"html": '<p title="é">\n</p>', "text": '"é"\n'}
    ready = {f"{name}_json": orjson.dumps(words) for name, words in said.items()}
    assert sendgrid._dumped(a_mail(**said)) == sendgrid._dumped(a_mail(**said, **ready))


def test_tracking_of_the_provider_is_off_and_our_ids_come_back() -> None:
    body = build_body(a_mail())
    assert body["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
    }
    args = body["personalizations"][0]["custom_args"]
    assert (args, body["categories"]) == ({"lf_message": "7", "lf_attempt": "t0-7"}, ["hello"])


def test_an_accepted_request_has_an_id_and_mails_share_one_connection(world: World, provider: SendGridProvider) -> None:
    assert send(provider, a_mail(), a_mail()) == ["sg-1", "sg-2"]
    assert world.connections == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RefusedError),
        (413, RefusedError),
        (401, OutageError),
        (403, OutageError),
        (429, OutageError),
        (500, UnknownOutcomeError),
        (503, UnknownOutcomeError),
        (200, UnknownOutcomeError),
    ],
)
def test_each_status_says_whether_the_mail_left(
    world: World, provider: SendGridProvider, status: int, error: type[Exception]
) -> None:
    world.answer = (status, {})
    with pytest.raises(error):
        send(provider)


def test_a_full_bucket_says_how_long_to_wait(world: World, provider: SendGridProvider) -> None:
    waits: list[float | None] = []
    for headers in ({"Retry-After": "30"}, {"X-RateLimit-Reset": "4000000000"}, {"Retry-After": "soon"}, {}):
        world.answer = (429, headers)
        with pytest.raises(RetryableError) as caught:
            send(provider)
        waits.append(caught.value.retry_after)
    assert (waits[0], waits[2:]) == (30.0, [None, None])
    assert waits[1] is not None
    assert waits[1] > 1_000_000


def test_a_reset_after_the_body_left_is_an_unknown_outcome(world: World, provider: SendGridProvider) -> None:
    world.answer = hang_up
    with pytest.raises(UnknownOutcomeError):
        send(provider)


def test_an_answer_that_never_comes_is_an_unknown_outcome(world: World) -> None:
    import time

    world.answer = lambda _api: time.sleep(0.3)
    provider = SendGridProvider(world.url, "SG.key", patience=0.05)
    with pytest.raises(UnknownOutcomeError):
        send(provider)


def test_a_server_that_is_not_there_was_given_nothing() -> None:
    provider = SendGridProvider("http://127.0.0.1:1", "SG.key")
    with pytest.raises(OutageError):
        send(provider)


@pytest.mark.parametrize("name", ["To", "DKIM-Signature", "Content-Type"])
def test_a_header_it_would_not_carry_is_an_error(name: str) -> None:
    with pytest.raises(UnsupportedFeatureError):
        build_body(a_mail(headers={name: "x"}))


def test_without_a_key_nothing_opens(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        sendgrid.open(Settings(workspace=tmp_path, sendgrid_api_key=SecretStr("")))


def test_no_address_of_ours_is_kept_where_nobody_can_erase_it() -> None:
    kept: dict[str, Any] = build_body(a_mail())
    lasting = [kept["personalizations"][0]["custom_args"], kept["categories"], kept["headers"]]
    assert "zoe" not in json.dumps(lasting).lower()
