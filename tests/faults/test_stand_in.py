"""The outside world keeps its word: what it says it accepted is on record, its log lags, its news is signed."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadflow.esp.sendgrid import build_body
from leadflow.esp.sendgrid_log import SendGridLog
from leadflow.intake.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER, normalise, verify
from leadflow.ports import Asked
from tests.esp.mail import a_mail
from tests.faults.description import DESCRIPTION
from tests.faults.manners import FAULTS, Manners
from tests.faults.record import read_record
from tests.faults.world import OutsideWorld, wait_for


def body(number: int = 7) -> dict[str, Any]:
    return build_body(
        a_mail(attempt_id=f"t-{number}", arguments={"lf_message": str(number), "lf_attempt": f"t-{number}"})
    )


def post(outside: OutsideWorld, given: Any, key: str = "SG.x") -> int | str:
    """The status of one request, or how it failed."""
    try:
        said = httpx.post(
            f"http://127.0.0.1:{outside.http}/v3/mail/send",
            json=given,
            headers={"Authorization": f"Bearer {key}"},
            timeout=0.5,
        )
    except httpx.HTTPError as error:
        return type(error).__name__
    return said.status_code


def accepted(outside: OutsideWorld) -> list[str]:
    return [one.attempt for one in read_record(Path(outside.state["record"]))]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not fault.signal])
def test_each_fault_accepts_or_not_and_answers_as_it_is_called(outside: OutsideWorld, name: str) -> None:
    outside.begin(Manners(script=[name], late=0.8))
    fault = FAULTS[name]
    said = post(outside, body())
    assert accepted(outside) == (["t-7"] if fault.accepted else [])
    if fault.answer.isdigit():
        assert said == int(fault.answer)
    else:
        assert isinstance(said, str) or (name, said) == ("slow", 202)


def test_a_body_that_breaks_the_official_description_is_refused(outside: OutsideWorld) -> None:
    if not DESCRIPTION.exists():
        pytest.skip(f"{DESCRIPTION.name} is not there: no request of the fires was checked against anything official")
    outside.begin(Manners())
    wrong = body() | {"personalizations": [{"to": [{"email": "not an address", "name": 3}]}]}
    assert (post(outside, wrong), post(outside, body())) == (400, 202)
    assert outside.state["tally"]["invalid"] == 1


def test_without_a_key_nobody_is_heard(outside: OutsideWorld) -> None:
    outside.begin(Manners())
    assert (post(outside, body(), key="no"), accepted(outside)) == (401, [])


def test_half_a_body_is_no_mail(outside: OutsideWorld) -> None:
    outside.begin(Manners())
    line = http.client.HTTPConnection("127.0.0.1", outside.http)
    line.putrequest("POST", "/v3/mail/send")
    line.putheader("Authorization", "Bearer SG.x")
    line.putheader("Content-Length", "10000")
    line.endheaders(b'{"personalizations"')
    line.close()
    assert wait_for(lambda: outside.state["tally"].get("cut off") == 1, 5)
    assert accepted(outside) == []


def test_the_log_knows_a_mail_once_its_index_does(outside: OutsideWorld) -> None:
    outside.begin(Manners(lag=0.5))
    post(outside, body())
    log = SendGridLog(f"http://127.0.0.1:{outside.http}", "SG.x")
    asked = [Asked(attempt_id="t-7", to=a_mail().to, intent_at=datetime.now(UTC))]
    assert log.find(asked) == {}
    time.sleep(0.6)
    found = log.find(asked)
    log.close()
    assert found == {"t-7": read_record(Path(outside.state["record"]))[0].id}


@pytest.mark.parametrize(
    "query", ["custom_args = 'x'", 'to_email > "a"', "to_email = 'a' OR subject = 'b'", "status = 'delivered'", "x"]
)
def test_the_log_refuses_what_the_language_has_not(outside: OutsideWorld, query: str) -> None:
    outside.begin(Manners())
    told = {"query": query, "limit": 10}
    said = httpx.post(
        f"http://127.0.0.1:{outside.http}/v3/logs", json=told, headers={"Authorization": "Bearer SG.x"}, timeout=5
    )
    assert said.status_code == 400


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[tuple[bytes, str, str]]]]:
    """An address that takes webhooks, failing the first, and what came there."""
    came: list[tuple[bytes, str, str]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((raw, self.headers[SIGNATURE_HEADER], self.headers[TIMESTAMP_HEADER]))
            self.send_response(204 if len(came) > 1 else 500)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hooks/sendgrid/a-secret", came
    server.shutdown()
    thread.join()
    server.server_close()


def test_news_is_signed_comes_in_copies_and_again_until_it_is_taken(
    outside: OutsideWorld, webhook: tuple[str, list[tuple[bytes, str, str]]]
) -> None:
    url, came = webhook
    outside.begin(Manners(webhook=url, seed=3, copies=4, delay=0.2))
    for number in range(5):
        post(outside, body(number))

    def kinds() -> set[str]:
        return {json.loads(raw)[0]["sg_event_id"] for raw, _signature, _stamp in list(came)}

    assert wait_for(lambda: len(kinds()) == 10 and len(came) > 15, 15)
    key, now = outside.state["key"], datetime.now(UTC)
    assert all(verify(raw, signature, stamp, [key], now=now + timedelta(seconds=1)) for raw, signature, stamp in came)
    told = [normalise(raw)[0] for raw, _signature, _stamp in came]
    assert {one.attempt_id for one in told} == {f"t-{number}" for number in range(5)}
    assert len({one.external_id for one in told}) < len(told)
    order = [json.loads(raw)[0]["lf_message"] for raw, _signature, _stamp in came]
    assert order != sorted(order)
    outside.begin(Manners())
