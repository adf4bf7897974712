"""Mails that come back: whose fault a bounce is, who complained, and which answers a person wrote."""

from datetime import UTC, datetime, timedelta

import pytest

from leadflow.intake.inbound import LONGEST, read_inbound
from leadflow.ports import ProviderEvent
from tests.intake.returned import bounce, complaint, reply

NOW = datetime(2026, 3, 24, tzinfo=UTC)


def read(raw: bytes) -> ProviderEvent:
    (told,) = read_inbound(raw, NOW)
    return told


@pytest.mark.parametrize(
    ("status", "diagnosis", "expected"),
    [
        ("5.1.1", "", ("bounced", "hard")),
        ("5.1.10", "", ("bounced", "hard")),
        ("5.4.4", "", ("bounced", "hard")),
        ("5.0.0", "smtp; 550 5.1.1 <p1@x.example> user unknown", ("bounced", "hard")),
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", ("blocked", "soft")),
        ("4.4.7", "smtp; 450 4.4.7 expired", ("blocked", "soft")),
        ("5.0.0", "smtp; 550 no", ("blocked", "soft")),
        ("5.7.1", "smtp; 550 5.7.1 blocked using a list", ("blocked", None)),
        ("5.7.26", "smtp; 550 5.7.26 not authenticated", ("blocked", None)),
        ("5.3.4", "", ("blocked", None)),
    ],
)
def test_a_bounce_says_whose_fault_it_is(status: str, diagnosis: str, expected: tuple[str, str | None]) -> None:
    told = read(bounce(status=status, diagnosis=diagnosis or "smtp; 550"))
    assert ((told.kind, told.hardness), told.address, told.attempt_id) == (expected, "p1@x.example", "w1-7")
    assert told.at == datetime(2026, 3, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("action", "kind"), [("delayed", "deferred"), ("delivered", "delivered"), ("relayed", "other")]
)
def test_a_report_that_is_no_failure_is_none(action: str, kind: str) -> None:
    assert read(bounce(action=action, status="4.4.1")).kind == kind


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (complaint(), "complained"),
        (complaint(address=None), "complained"),
        (complaint(kind="fraud"), "complained"),
        (complaint(kind="opt-out"), "unsubscribed"),
        (complaint(kind="not-spam"), "other"),
    ],
)
def test_a_complaint_names_who_complained(raw: bytes, expected: str) -> None:
    told = read(raw)
    assert (told.kind, told.address, told.attempt_id) == (expected, "p1@x.example", "w1-7")


def test_a_persons_answer_says_what_they_wrote_and_not_what_they_answer_to() -> None:
    told = read(
        reply("Yes, call me.\r\n\r\nClaire\n\nLe lun. 23 mars 2026, Léa <l@a.example> a écrit :\n> Hello\n> stop")
    )
    assert (told.kind, told.note, told.subject) == ("replied", "Yes, call me.\n\nClaire", "Re: Hello")
    assert (told.address, told.attempt_id) == ("p1@x.example", "w1-7")


def test_of_a_page_the_words_are_read() -> None:
    page = "<html><head><style>p {}</style></head><body><p>Call <b>me</b></p><script>x()</script></body></html>"
    assert read(reply(page, "html")).note == "Call\nme"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<news.x.example>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@x.example"},
        {"From": "noreply@x.example"},
        {"Subject": "Automatic reply: Hello"},
        {"Subject": "Réponse automatique : Hello"},
        {"Subject": "Out of the office until Monday"},
        {"Subject": "Absence du bureau"},
        {"From": ""},
    ],
)
def test_what_a_program_answers_is_no_answer(headers: dict[str, str]) -> None:
    assert read_inbound(reply(**headers), NOW) == []


def test_a_person_who_says_that_no_program_wrote_is_believed() -> None:
    assert read(reply(Auto_Submitted="no")).kind == "replied"


def test_a_clock_that_is_ahead_or_broken_counts_as_now() -> None:
    assert read(reply(Date=f"{NOW + timedelta(days=9):%a, %d %b %Y %H:%M:%S} +0000")).at == NOW
    assert read(reply(Date="yesterday")).at == NOW


def test_the_same_mail_is_known_again() -> None:
    assert (
        read(reply()).external_id
        == read(reply("other words")).external_id
        != read(reply(Message_ID="<r2@x>")).external_id
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 50,
        b"From: \xff\xfe\r\nSubject: =?x?y?z?=\r\n\r\n\x00",
        b"From: a@b.example\nContent-Type: text/plain; charset=nonsense\n\n\xff",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n--x--\n" * 3,
        b"From: a@b.example\n\n" + b"<" * 200_000,
        bounce(original="<@@>").replace(b"Final-Recipient: rfc822; p1@x.example", b"Final-Recipient: ;;"),
    ],
)
def test_what_nobody_could_read_breaks_nothing(raw: bytes) -> None:
    for told in read_inbound(raw, NOW):
        assert len(told.note or "") <= LONGEST
        (told.note or "").encode()
