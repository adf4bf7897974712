"""SendGrid's log, asked over a real connection: all of two days, then mail by mail, never beyond its budget."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from leadflow.errors import BusyError, CrowdedError, ProviderError, SettingsError
from leadflow.esp import open_log
from leadflow.esp.sendgrid_log import SendGridLog, query_of
from leadflow.ports import Asked
from leadflow.settings import Settings

AT = datetime(2026, 3, 23, 9, 0, tzinfo=UTC)


def taken_at(mail: dict[str, Any]) -> datetime:
    """When SendGrid took it."""
    return datetime.fromisoformat(mail["sg_message_id_created_at"])


@dataclass
class Account:
    """What was sent, as SendGrid keeps it; `status` answers every question with an error."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    #: Whether the list shows custom arguments as well.
    open_handed: bool = False
    questions: list[str] = field(default_factory=list)
    url: str = ""

    def accept(self, attempt: str, to: str, at: datetime = AT) -> None:
        """Note a mail under the next number."""
        shown = {"sg_message_id": f"sg-{len(self.mails) + 1}.filter-0", "to_email": to}
        shown["sg_message_id_created_at"] = at.isoformat()
        self.mails.append(shown | {"custom_args": {"lf_attempt": attempt, "lf_message": "1"}})

    def search(self, query: str, limit: int) -> list[dict[str, Any]]:
        """The mails of `query`, without what only their own page shows."""
        if to := re.fullmatch(r'to_email = "([^"]+)"', query):
            found = [mail for mail in self.mails if mail["to_email"] == to[1]]
        else:
            first, last = (datetime.fromisoformat(at) for at in re.findall(r'TIMESTAMP "([^"]+)"', query))
            found = [mail for mail in self.mails if first <= taken_at(mail) <= last]
        hidden = set() if self.open_handed else {"custom_args"}
        return [{name: value for name, value in mail.items() if name not in hidden} for mail in found[:limit]]


@contextmanager
def serving(account: Account) -> Iterator[Account]:
    """`account` behind HTTP on this machine."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            account.questions.append(asked["query"])
            self._say({"messages": account.search(asked["query"], asked["limit"])})

        def do_GET(self) -> None:
            account.questions.append(self.path)
            number = self.path.rpartition("/")[2]
            self._say(next(mail for mail in account.mails if mail["sg_message_id"] == number))

        def _say(self, said: dict[str, Any]) -> None:
            body = account.body if account.body is not None else json.dumps(said).encode()
            right = self.headers["Authorization"] == "Bearer SG.key"
            self.send_response(account.status if right else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    running.start()
    account.url = f"http://127.0.0.1:{server.server_port}"
    yield account
    server.shutdown()
    running.join()
    server.server_close()


@pytest.fixture
def account() -> Iterator[Account]:
    with serving(Account()) as account:
        yield account


@pytest.fixture
def log(account: Account) -> Iterator[SendGridLog]:
    opened = SendGridLog(account.url, "SG.key")
    yield opened
    opened.close()


def asked(*numbers: int, at: datetime = AT) -> list[Asked]:
    """Attempts a1, a2 … to p1, p2 …"""
    return [Asked(attempt_id=f"a{n}", to=f"p{n}@x.example", intent_at=at) for n in numbers]


def test_what_it_has_is_found_under_the_number_of_the_request(account: Account, log: SendGridLog) -> None:
    account.accept("a1", "p1@x.example", AT + timedelta(seconds=3))
    account.accept("another attempt", "p2@x.example", AT - timedelta(minutes=1))
    account.accept("a3", "p3@x.example", AT + timedelta(hours=26))
    assert log.find(asked(1, 2, 3)) == {"a1": "sg-1"}
    assert [question.partition(" ")[0] for question in account.questions] == [
        "sg_message_id_created_at",
        "/v3/logs/sg-1.filter-0",
        "/v3/logs/sg-2.filter-0",
    ]


def test_a_mail_once_looked_at_is_not_looked_at_again(account: Account, log: SendGridLog) -> None:
    account.accept("a1", "p1@x.example")
    assert log.find(asked(1)) == log.find(asked(1)) == {"a1": "sg-1"}
    assert len(account.questions) == 3


def test_a_list_that_shows_our_words_is_enough(account: Account, log: SendGridLog) -> None:
    account.open_handed = True
    account.accept("a1", "p1@x.example")
    account.accept("a2", "P2@x.example")
    assert log.find(asked(1, 2)) == {"a1": "sg-1", "a2": "sg-2"}
    assert len(account.questions) == 1


def test_several_mails_to_one_address_are_told_apart(account: Account, log: SendGridLog) -> None:
    for attempt in ("old", "a1"):
        account.accept(attempt, "p1@x.example")
    account.mails[0].pop("sg_message_id_created_at")
    assert log.find(asked(1)) == {"a1": "sg-2"}


def test_a_full_list_is_narrowed_to_one_address(account: Account, log: SendGridLog) -> None:
    for number in range(1_000):
        account.accept(f"x{number}", f"x{number}@x.example")
    account.accept("a1", "p1@x.example")
    with pytest.raises(CrowdedError):
        log.find(asked(1, 2))
    assert (log.find(asked(1)), log.find(asked(2))) == ({"a1": "sg-1001"}, {})
    assert account.questions[1] == 'to_email = "p1@x.example"'


def test_the_question_names_days_around_the_intents_in_utc() -> None:
    assert query_of(asked(1, at=AT) + asked(2, at=AT + timedelta(minutes=9)), None) == (
        'sg_message_id_created_at >= TIMESTAMP "2026-03-22T08:00:00Z"'
        ' AND sg_message_id_created_at <= TIMESTAMP "2026-03-24T10:09:00Z"'
    )


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_clock_that_is_wrong_by_a_day_makes_no_no(account: Account, log: SendGridLog, hours: int) -> None:
    account.accept("a1", "p1@x.example", AT + timedelta(hours=hours))
    assert log.find(asked(1, 2)) == log.find(asked(1)) == {"a1": "sg-1"}


def test_of_several_mails_the_likeliest_is_looked_at_first(account: Account, log: SendGridLog) -> None:
    for days in range(10):
        account.accept(f"a1 {days}", "p1@x.example", AT - timedelta(days=days))
    account.mails[3]["custom_args"] = {"lf_attempt": "a1"}
    assert log.find(asked(1, at=AT - timedelta(days=3, minutes=1))) == {"a1": "sg-4"}
    assert len(account.questions) == 2


def test_an_address_cannot_change_the_question() -> None:
    with pytest.raises(CrowdedError):
        query_of(asked(1), 'p1" AND to_email = "p2@x.example')


def test_without_a_turn_it_says_what_it_knows_so_far(account: Account) -> None:
    turns = iter([True, True, False])
    log = SendGridLog(account.url, "SG.key", turn=lambda: next(turns))
    for number in (1, 3):
        account.accept(f"a{number}", f"p{number}@x.example")
    with pytest.raises(BusyError) as busy:
        log.find(asked(1, 2, 3))
    log.close()
    assert (busy.value.found, sorted(busy.value.denied)) == ({"a1": "sg-1"}, ["a2"])


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, None, BusyError),
        (500, None, ProviderError),
        (401, None, ProviderError),
        (200, b"no JSON", ProviderError),
        (200, b"[]", ProviderError),
        (200, b"{}", ProviderError),
        (200, b'{"messages": 1}', ProviderError),
    ],
)
def test_no_answer_is_no_no(
    account: Account, log: SendGridLog, status: int, body: bytes | None, error: type[Exception]
) -> None:
    account.status, account.body = status, body
    with pytest.raises(error):
        log.find(asked(1))


def test_nobody_there_is_no_no() -> None:
    log = SendGridLog("http://127.0.0.1:9", "SG.key")
    with pytest.raises(ProviderError, match="does not answer: ConnectError"):
        log.find(asked(1))
    log.close()


def test_a_log_is_found_beside_its_provider_and_needs_its_key() -> None:
    assert open_log("smtp", Settings(), lambda: True) is None
    opened = open_log("sendgrid", Settings(sendgrid_api_key=SecretStr("SG.key")), lambda: True)
    assert isinstance(opened, SendGridLog)
    opened.close()
    with pytest.raises(SettingsError):
        open_log("sendgrid", Settings(), lambda: True)
    assert opened.find([]) == {}
