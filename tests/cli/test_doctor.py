"""`leadflow doctor` and what it finds of a workspace that is well, and of one that is not."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from leadflow.app import App, doctor, open_app
from leadflow.app.doctor_dns import DnsError, dns_findings
from leadflow.app.turns import turns_at
from leadflow.ask import health
from leadflow.ask.finding import Finding
from leadflow.db import database_now
from leadflow.errors import BusyError, ProviderError
from leadflow.models import breaker, intake, job_run, sweep
from leadflow.ports import Asked
from leadflow.types import DAY, HOUR, instant_of, micros
from tests.apps import an_app
from tests.build import NIGHT
from tests.cli.conftest import Types
from tests.pipeline.doubts import Log, add_doubt, delivered, post
from tests.pipeline.mails import add_message

#: What mailbox providers ask for.
GOOD = {
    "news.a.example": ["v=spf1 include:spf.example ~all", "some other record"],
    "s1._domainkey.news.a.example": ["k=rsa; t=s; p=MIGfMA0"],
    "_dmarc.a.example": ["v=DMARC1; p=none; rua=mailto:d@a.example"],
}


def names(
    records: Mapping[str, Sequence[str]], *, selectors: Sequence[str] = ("s1", "s2"), signed_by_provider: bool = False
) -> dict[str, tuple[str, str]]:
    """What is found of news.a.example: check → level and words."""
    resolve = lambda name: records.get(name, ())  # noqa: E731
    found = dns_findings(["news.a.example"], selectors, resolve, signed_by_provider=signed_by_provider)
    return {finding.check: (finding.level.value, finding.says) for finding in found}


def of(found: Sequence[Finding], check: str) -> list[tuple[str, str]]:
    """Level and words of one check."""
    return [(finding.level.value, finding.says) for finding in found if finding.check == check]


@pytest.fixture
def app(engine: Engine, session: Session) -> App:
    session.execute(
        insert(sweep),
        {"at": NIGHT, "scope": "everyone", "playbook": "0", "started_at": NIGHT, "finished_at": NIGHT, "counts": {}},
    )
    session.commit()
    return an_app(engine)


def test_domains_that_are_set_up_are_found_well() -> None:
    assert names(GOOD) == {
        "spf": ("ok", "news.a.example says who may send"),
        "dkim": ("ok", "news.a.example has a DKIM key (s1)"),
        "dmarc": ("ok", "a.example has a DMARC policy: none"),
    }


@pytest.mark.parametrize(
    ("changed", "check", "said"),
    [
        ({"news.a.example": []}, "spf", "news.a.example has no SPF record"),
        ({"news.a.example": ["v=spf10 -all"]}, "spf", "news.a.example has no SPF record"),
        ({"news.a.example": ["v=spf1 -all", "v=spf1 ~all"]}, "spf", "news.a.example has 2 SPF records"),
        ({"news.a.example": ["v=spf1 +all"]}, "spf", "lets anybody send in your name"),
        ({"news.a.example": ["v=spf1 all"]}, "spf", "lets anybody send in your name"),
        ({"s1._domainkey.news.a.example": []}, "dkim", "no DKIM key at s1._domainkey.news.a.example, s2._domainkey"),
        ({"s1._domainkey.news.a.example": ["k=rsa; p="]}, "dkim", "no DKIM key"),
        ({"_dmarc.a.example": []}, "dmarc", "news.a.example has no DMARC policy"),
        ({"_dmarc.a.example": ["v=DMARC1; rua=mailto:d@a.example"]}, "dmarc", "no DMARC policy"),
    ],
)
def test_what_domains_lack_is_wrong(changed: dict[str, list[str]], check: str, said: str) -> None:
    level, words = names(GOOD | changed)[check]
    assert (level, said in words) == ("wrong", True), words


def test_some_of_it_is_the_providers_affair() -> None:
    assert names(GOOD | {"news.a.example": []}, signed_by_provider=True)["spf"][0] == "note"
    assert names(GOOD, selectors=())["dkim"][0] == "note"


def test_a_name_server_that_does_not_answer_is_no_fault_of_the_domain() -> None:
    def silent(_name: str) -> Sequence[str]:
        raise DnsError("Timeout")

    found = list(dns_findings(["a.example"], ("s1",), silent, signed_by_provider=True))
    assert [(finding.check, finding.level.value) for finding in found] == [("dns", "note")]
    assert "no name server answers (Timeout)" in found[0].says


def test_a_workspace_that_is_well_has_nothing_wrong(app: App) -> None:
    found = [finding for finding in doctor(app, NIGHT) if finding.check != "durability"]
    assert {finding.level.value for finding in found} == {"ok"}
    assert {"clocks", "due", "claims", "doubts", "failed", "night", "jobs", "invariants", "settings"} == {
        finding.check for finding in found
    }


def test_a_database_that_may_forget_is_wrong(session: Session) -> None:
    """The databases of the tests do not wait for the disk."""
    found = health.durability(session)
    assert (found.level, "mail could leave twice" in found.says) == ("wrong", True)


def test_clocks_far_apart_are_wrong(session: Session) -> None:
    now = instant_of(session.scalar(database_now().select()) or 0)
    levels = [health.clocks(session, now + timedelta(seconds=apart)).level.value for apart in (0, 10, -100)]
    assert levels == ["ok", "note", "wrong"]


def test_mail_that_hangs_is_said_with_what_to_do(app: App, session: Session) -> None:
    add_message(session, 1, send_at=NIGHT - timedelta(hours=1))
    add_message(session, 2, state="claimed", owner="dead", lease_until=NIGHT)
    add_doubt(session, 3)
    add_message(session, 4, state="failed", reason="refused")
    begun = {"state": "running", "owner": "dead", "started_at": NIGHT, "lease_until": NIGHT, "result": {}}
    session.execute(insert(job_run), {"job": "nightly", "slot": "2026-03-22"} | begun)
    session.execute(insert(breaker), {"provider": "memory", "failures": 5, "opened_at": NIGHT, "note": "503"})
    session.commit()
    found = doctor(app, NIGHT)
    assert of(found, "due") == [("wrong", "1 mail has been due since 2026-03-23 03:15")]
    assert of(found, "claims") == [("wrong", "1 mail is claimed by a worker that died")]
    assert of(found, "doubts") == [("wrong", "nobody has answered for 1 mail")]
    assert of(found, "failed") == [("note", "1 mail failed in the last 24 hours")]
    assert of(found, "jobs") == [("note", "1 scheduled act was cut off: nightly 2026-03-22")]
    assert of(found, "provider") == [("wrong", "memory has taken no mail since 2026-03-23 04:15 (503)")]
    assert all(finding.do for finding in found if finding.level != "ok")


def test_unknown_mail_is_to_be_looked_at(app: App, session: Session) -> None:
    add_doubt(session, 1, "unknown", reason="unknown_outcome")
    session.commit()
    assert of(doctor(app, NIGHT), "doubts") == [("note", "1 mail is unknown: it may have left")]


def test_a_schedule_that_nobody_keeps_is_wrong(app: App) -> None:
    kept = replace(app, playbook=replace(app.playbook, schedule=replace(app.playbook.schedule, scheduler="embedded")))
    assert of(doctor(kept, NIGHT + timedelta(hours=31)), "night")[0][0] == "wrong"
    assert of(doctor(kept, NIGHT + timedelta(hours=29)), "night")[0][0] == "ok"
    assert of(doctor(app, NIGHT + timedelta(hours=31)), "night")[0][0] == "ok"


@pytest.fixture
def sendgrid(app: App) -> App:
    """Sends through SendGrid, with everything set."""
    said = {"esp": "sendgrid", "public_url": "https://mail.a.example", "sendgrid_api_key": SecretStr("SG.key")}
    settings = app.settings.model_copy(update=said | {"sendgrid_webhook_keys": "MFkw", "hook_key": SecretStr("word")})
    return replace(app, settings=settings)


def looked(app: App, **more: Any) -> Sequence[Finding]:
    """What the doctor finds, without names."""
    return doctor(app, NIGHT, dns=False, **more)


def test_the_lag_of_webhooks_is_measured(sendgrid: App, session: Session) -> None:
    post(session, delivered("a1"), received_at=NIGHT + timedelta(minutes=3))
    post(session, body=b"no JSON", received_at=NIGHT)
    session.commit()
    assert of(looked(sendgrid), "webhook") == [("ok", "the provider's events come 3 minutes after they happened")]
    post(session, delivered("a2"), received_at=NIGHT + timedelta(hours=9))
    session.commit()
    assert of(looked(sendgrid), "webhook")[0][0] == "note"


def test_a_provider_that_says_nothing_is_wrong(sendgrid: App, session: Session) -> None:
    for number in range(1, 21):
        add_doubt(session, number, "accepted", sent_at=NIGHT - timedelta(hours=3))
    session.commit()
    found = of(looked(sendgrid), "webhook")
    assert found == [
        ("wrong", "20 mails were accepted more than two hours ago, and the provider has said nothing of them")
    ]


def test_events_that_no_night_reads_are_wrong(sendgrid: App, session: Session) -> None:
    session.execute(insert(intake), {"kind": "form", "received_at": micros(NIGHT) - DAY - 7 * HOUR, "body": b"{}"})
    session.commit()
    found = of(looked(sendgrid), "webhook")
    assert found[-1] == ("wrong", "what came from outside since 2026-03-21 21:15 has not been read")


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (None, "ok", "the provider's log answers"),
        (BusyError(), "ok", "the provider's log has been asked enough this minute"),
        (ProviderError("SendGrid's log answered 403"), "wrong", "cannot be asked (SendGrid's log answered 403)"),
    ],
)
def test_a_log_that_does_not_answer_is_wrong(sendgrid: App, error: Exception | None, level: str, said: str) -> None:
    app = replace(sendgrid, ports=replace(sendgrid.ports, log=Log(error=error)))
    found = of(looked(app), "log")
    assert (found[0][0], said in found[0][1]) == (level, True)


@dataclass
class InTurn(Log):
    """Is asked in turns that are kept in the same database, as SendGrid's is."""

    turn: Callable[[], bool] = bool

    def find(self, asked: Sequence[Asked]) -> Mapping[str, str]:
        """What the log says, at its turn."""
        assert self.turn()
        return super().find(asked)


def test_the_log_is_asked_while_no_transaction_of_ours_is_in_its_way(sendgrid: App, engine: Engine) -> None:
    log = InTurn(turn=turns_at(engine, "sendgrid", patience=0))
    app = replace(sendgrid, ports=replace(sendgrid.ports, log=log))
    assert of(looked(app), "log") == [("ok", "the provider's log answers")]


def test_doors_that_are_shut_are_wrong(sendgrid: App) -> None:
    assert of(looked(sendgrid), "settings") == []
    shut = {"public_url": "http://127.0.0.1:8380", "sendgrid_webhook_keys": "", "hook_key": SecretStr("")}
    app = replace(sendgrid, settings=sendgrid.settings.model_copy(update=shut))
    assert [of(looked(app), check)[-1][0] for check in ("settings", "webhook")] == ["wrong", "wrong"]
    assert "LEADFLOW_HOOK_KEY" in looked(app)[-2].do + looked(app)[-1].do + looked(app)[-3].do


def test_names_are_asked_for_where_mail_leaves_the_machine(app: App, sendgrid: App) -> None:
    asked: list[str] = []

    def resolve(name: str) -> Sequence[str]:
        asked.append(name)
        return ()

    doctor(app, NIGHT, resolve=resolve)
    assert asked == []
    doctor(sendgrid, NIGHT, resolve=resolve)
    assert asked == ["a.example", "s1._domainkey.a.example", "s2._domainkey.a.example", "_dmarc.a.example"]
    asked.clear()
    named = replace(app, settings=app.settings.model_copy(update={"dkim_selectors": "mail, two"}))
    doctor(named, NIGHT, dns=True, resolve=resolve)
    assert asked[1:3] == ["mail._domainkey.a.example", "two._domainkey.a.example"]


def test_the_screen_says_what_is_wrong_and_what_to_do(place: Path, types: Types) -> None:
    app = open_app(place)
    with Session(app.engine) as session, session.begin():
        add_message(session, 1, send_at=NIGHT - timedelta(hours=1))
    said = types("doctor", "--at", NIGHT.isoformat())
    assert said.exit_code == 1
    assert "✗ due         1 mail has been due since 2026-03-23 03:15" in said.output
    assert "→ nobody sends: start leadflow serve" in said.output
    assert "1 thing is wrong, 1 to look at" in said.output
    found = json.loads(types("doctor", "--json", "--at", NIGHT.isoformat()).output)
    assert (found["wrong"], found["findings"][2]["check"], found["findings"][2]["level"]) == (1, "due", "wrong")


def test_a_fresh_workspace_is_well(types: Types) -> None:
    said = types("doctor")
    assert said.exit_code == 0
    assert "nothing is wrong, 1 to look at" in said.output
