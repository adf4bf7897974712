"""Nothing that comes in names an address that is asked: an address planted everywhere is met by nobody."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

import leadflow
from leadflow.app import App, sweep
from leadflow.intake.api_keys import ApiScope, new_key
from leadflow.models import event, intake, lead

#: Packages that speak to other machines, and the modules that may: their addresses stand in settings and `config/`.
SPEAKING = frozenset(("socket", "ssl", "httpx", "httptools", "aiohttp", "smtplib", "urllib.request", "http.client"))
SPEAKING |= {"apprise", "dns", "sendgrid", "python_http_client", "requests"}
KNOWN = {
    *("esp/_wire.py", "esp/sendgrid_log.py", "esp/smtp.py", "crm/apprise_channel.py"),
    # DNS of the sender's own domain; the local Prefect server; a free port, this machine's name.
    *("app/doctor_dns.py", "scheduler/server.py", "scheduler/answered.py"),
    *("cli/preview.py", "cli/serve.py", "pipeline/runs.py"),
}
_IMPORT = re.compile(r"^\s*(?:import|from)\s+([\w.]+)", re.MULTILINE)


def test_only_these_modules_speak_to_other_machines() -> None:
    home = Path(leadflow.__file__).parent
    found = {str(path.relative_to(home)) for path in home.rglob("*.py") if _imports(path) & SPEAKING}
    assert found == KNOWN


def _imports(path: Path) -> set[str]:
    names = set(_IMPORT.findall(path.read_text(encoding="utf-8")))
    return names | {name.partition(".")[0] for name in names}


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A door on this machine at which nobody should knock."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_address_planted_wherever_something_comes_in_is_asked_by_nobody(
    app: App, client: TestClient, trap: socket.socket
) -> None:
    url = f"http://127.0.0.1:{trap.getsockname()[1]}/latest/meta-data"
    told = {"email": "p7@x.example", "path": url, "page": url, "source_of": {"referrer": url, "utm_source": url}}
    with Session(app.engine) as session, session.begin():
        key = new_key(session, "all", list(ApiScope), datetime.now(UTC))
        news = [{"email": "p7@x.example", "timestamp": 1_769_000_000, "event": "click", "url": url, "useragent": url}]
        session.execute(insert(intake), {"kind": "sendgrid", "received_at": 1, "body": json.dumps(news).encode()})
    client.headers.update({"Authorization": f"Bearer {key}", "X-Forwarded-Host": url, "Referer": url})
    person = {"email": "new@x.example", "company": url, "first_name": url, "source": url, "page": url}
    assert client.post("/v1/events", json={"event": "demo_requested", **told}).status_code == 202
    assert client.post("/v1/leads", json=person).status_code == 202
    site = {"Origin": app.playbook.brand.site.rstrip("/")}
    view = {"visitor": "c0ffee00", "event": "page_viewed", "path": url, "source_of": {"referrer": url}}
    assert client.post("/t", json=view, headers=site).status_code == 204
    client.get("/f/x", params={"page": url, "referrer": url})

    sweep(app, datetime.now(UTC))

    with Session(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(event).where(event.c.path.contains("meta-data")))
        assert session.scalar(select(func.count()).select_from(lead)) == 2
    with pytest.raises(BlockingIOError):
        trap.accept()
