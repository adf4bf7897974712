"""SIGTERM to a process that sends: what is on the wire ends, the rest is anybody's again, within half a minute."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app import ask_to_stop, draining_at_sigterm, open_app, stop_asked
from leadflow.models import message
from tests.flows.busy import make_busy, plan_mails
from tests.flows.machines import environment, slow_mail_server, wait_for

PEOPLE = 400


@pytest.mark.slow
def test_a_delivery_that_is_told_to_end_drains_and_says_what_waits(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    with slow_mail_server(per_second=80) as box:
        make_busy(workspace, "", f"LEADFLOW_ESP=smtp\nLEADFLOW_SMTP_URL={box.url}\n")
        app = open_app(workspace)
        plan_mails(app, PEOPLE)
        command = [str(Path(sys.executable).with_name("leadflow")), "deliver", "-w", str(workspace)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, env=environment(tmp_path), text=True, **pipes) as process:  # type: ignore[call-overload]
            wait_for(lambda: len(box.took) > 40, 60)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            said, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == 0, said
    with Session(app.engine) as session:
        told = session.execute(select(message.c.state, func.count()).group_by(message.c.state))
        states = Counter(dict(told.tuples().all()))
    app.engine.dispose()
    assert states == Counter(accepted=len(box.took), planned=PEOPLE - len(box.took))
    assert f"unfinished: {states['planned']} wait" in said


def test_without_a_delivery_sigterm_does_what_it_did_before() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        with draining_at_sigterm():
            signal.raise_signal(signal.SIGTERM)
            assert heard == [signal.SIGTERM]
            assert not stop_asked()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_wish_lasts_as_long_as_the_run_it_ends() -> None:
    with draining_at_sigterm():
        assert not ask_to_stop()
        assert stop_asked()
    assert not stop_asked()
