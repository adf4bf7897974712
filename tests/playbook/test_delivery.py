"""`delivery:` in leadflow.yaml: what may be written there, and what is said of what may not."""

import re
from datetime import date
from pathlib import Path

import pytest

from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Brakes, Canary, Delivery, Outage, WarmUp
from leadflow.types import DAY, MINUTE, SECOND, Rate
from tests.playbook.conftest import MAIN, Breaks

#: What the example has.
WRITTEN = {
    "on_unknown": "  on_unknown: hold",
    "grace": "  grace: 15 minutes",
    "outage": "  outage: {after: 5, retry_after: 1 minute}",
}


def rewrite(workspace: Path, section: str) -> Delivery:
    """The delivery of the example with another section."""
    main = workspace / MAIN
    text = main.read_text(encoding="utf-8")
    main.write_text(text[: text.index("\ndelivery:")] + f"\n{section}", encoding="utf-8")
    return load_playbook(workspace).delivery


def test_the_example_says_what_holds_without_a_word(workspace: Path) -> None:
    assert load_playbook(workspace).delivery == Delivery()
    assert rewrite(workspace, "") == Delivery()


def test_what_the_example_leaves_out_may_be_taken_in(workspace: Path) -> None:
    main = workspace / MAIN
    text = main.read_text(encoding="utf-8")
    main.write_text(re.sub(r"(?m)^  # (rate|domains|warm_up|canary):", r"  \1:", text), encoding="utf-8")
    taken = load_playbook(workspace).delivery
    assert (taken.rate, taken.canary) == (Rate(n=50, per=SECOND), Canary())
    assert (len(taken.domains), taken.warm_up is None) == (2, False)


def test_all_that_may_be_written(workspace: Path) -> None:
    section = """delivery:
  rate: 3000 per minute
  domains: {gmail.com: 10 per second, others: 30 per second}
  warm_up: {from: 2026-11-23, first_day: 200, growth: 30 %, until: 20000}
  canary: {first: 80, or_share: 5 %, wait: 1 hour}
  on_unknown: resend
  grace: 20 minutes
  outage: {after: 8, retry_after: 2 minutes}
  brakes:
    complaints: {pause_stream: 0.08 %, stop_all: 0.2 %}
    bounces: {warn: 1 %, pause_stream: 4 %}
    refusals: {pause_stream: 3.5 %}
    over: 3 days
    from_sends: 500
"""
    assert rewrite(workspace, section) == Delivery(
        rate=Rate(n=3000, per=MINUTE),
        domains={"gmail.com": Rate(n=10, per=SECOND), "others": Rate(n=30, per=SECOND)},
        warm_up=WarmUp(since=date(2026, 11, 23), first_day=200, growth=30, until=20_000),
        canary=Canary(first=80, share=5, wait=60 * MINUTE),
        on_unknown="resend",
        grace=20 * MINUTE,
        outage=Outage(after=8, retry_after=2 * MINUTE),
        brakes=Brakes(
            complaints=8,
            complaints_all=20,
            bounces_told=100,
            bounces=400,
            refusals=350,
            over=3 * DAY,
            at_least=500,
        ),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rat: 50 per second", '"rat" is not known here. Did you mean rate?'),
        ("rate: 50/s", 'expected a rate such as 50 per second (or minute, hour, day), got "50/s"'),
        ("rate: 0 per second", 'expected a rate such as 50 per second (or minute, hour, day), got "0 per second"'),
        (
            "domains: {gmail: 10 per second}",
            '"gmail" is no domain: write gmail.com, or others for all those not named',
        ),
        ("on_unknown: resent", '"resent" is not known here. Did you mean resend?'),
        ("grace: 0 minutes", "0 minutes is too small: 1 minute at least"),
        ("warm_up: {from: 2026-01-05, first_day: 200, until: 900}", '"growth" is missing'),
        (
            "warm_up: {from: 2026-01-05, first_day: 200, growth: 0 %, until: 900}",
            "0 % is too small: 1 % at least",
        ),
        ("canary: {wait: soon}", "expected a span of time such as 3 days"),
        ("outage: {after: 0}", "0 is too small: 1 at least"),
    ],
)
def test_a_fault_says_where_and_what_would_be_right(faults_after: Breaks, line: str, expected: str) -> None:
    old = WRITTEN.get(line.partition(":")[0])
    new = f"  {line}" if old else f"{WRITTEN['on_unknown']}\n  {line}"
    (told,) = faults_after(MAIN, old or WRITTEN["on_unknown"], new)
    assert told.startswith(f"{MAIN}:")
    assert expected in told


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("pause_stream: 0.1 %", "pause_stream: 0.1", 'expected a percentage such as 0.1 %, got "0.1"'),
        ("pause_stream: 0.1 %", "pause_stream: 0 %", "0 % is too small: 0.01 % at least"),
        ("stop_all: 0.3 %", "stop_all: 0.05 %", "the second number is below the first"),
        ("{warn: 2 %,", "{warm: 2 %,", '"warm" is not known here. Did you mean warn?'),
    ],
)
def test_a_brake_that_would_never_come_is_a_fault(faults_after: Breaks, old: str, new: str, expected: str) -> None:
    (told,) = faults_after(MAIN, old, new)
    assert expected in told
