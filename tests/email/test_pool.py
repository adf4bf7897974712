"""Emails compiled and filled in by child processes: the same mails, and what happens when a child ends."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from leadflow.email.catalog import Email
from leadflow.email.compile import compile_email
from leadflow.email.frames import Shape
from leadflow.email.pool import Renderers, Task
from leadflow.email.render import Links, MissingValueError, Rendered, render_email
from leadflow.errors import TemplateError
from tests.email.test_compile import BASE, FACTS

BODY = 'Hi {{ lead.first_name }}, [a]({{ links.page("x") }}) and [b](https://b.example)'
#: Doubles a text until something gives.
BOMB = "{% set a = lead.first_name %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}"
#: Turns round and round.
SLOW = "{% for a in lead.first_name %}" * 2 + "{{ a|replace('', a) }}" * 200 + "{% endfor %}" * 2


@pytest.fixture(scope="module")
def renderers() -> Iterator[Renderers]:
    with Renderers() as renderers:
        yield renderers


def email(body: str, **parts: Any) -> Email:
    given: dict[str, Any] = {"subject": {"en": "Hello"}, "bodies": {"en": body}, "kinds": {"en": "md"}} | parts
    return Email(name="hello", **given)


def task(shape: Shape, facts: Mapping[str, object] | None = None) -> Task:
    links = [f"https://t.example/{number}" for number in range(len(shape.slots))]
    return Task(shape=shape, facts=FACTS | dict(facts or {}), links=links, unsubscribe="https://u.example")


def test_a_mail_is_what_the_same_process_would_have_written(renderers: Renderers) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)
    assert (shape.pages, shape.urls) == (("x",), ("https://b.example",))
    compiled = compile_email(email(BODY), "en", BASE)
    made = dict(zip(compiled.slots, task(shape).links, strict=True))
    links = Links(page=str, url=str, unsubscribe="https://u.example", made=made)
    assert [render_email(compiled, FACTS, links)] == renderers.render([task(shape)])


def test_a_fault_says_where(renderers: Renderers) -> None:
    with pytest.raises(TemplateError) as caught:
        renderers.compile(email("a\n\n{{ 'b'|center(9) }}"), "en", BASE)
    assert (caught.value.line, caught.value.column) == (3, 8)


def test_a_missing_value_is_told_from_other_failures(renderers: Renderers) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)
    (found,) = renderers.render([task(shape, {"lead.first_name": None})])
    assert isinstance(found, MissingValueError)
    assert "lead.first_name has no value" in str(found)


def test_what_json_cannot_say_is_written_all_the_same(renderers: Renderers) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)
    (name, number) = renderers.render([task(shape, {"lead.first_name": value}) for value in ("\ud800Zoé", 1 << 80)])
    assert isinstance(name, Rendered)
    assert isinstance(number, Rendered)
    assert ("Hi ?Zoé," in name.text, f"Hi {1 << 80}," in number.text) == (True, True)


def test_a_poison_mail_fails_alone(renderers: Renderers) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)
    poison = renderers.compile(email(SLOW), "en", BASE)
    found = renderers.render([task(shape), task(poison, {"lead.first_name": "ab" * 3000}), task(shape)])
    assert [Rendered, TemplateError, Rendered] == [type(one) for one in found]


def test_too_much_memory_is_an_error_and_the_child_lives_on(renderers: Renderers) -> None:
    shape = renderers.compile(email(BOMB), "en", BASE)
    process = renderers._children[0].process
    found = renderers.render([task(shape), task(shape)])
    assert [str(one) for one in found] == ["this needs too much memory"] * 2
    assert renderers._children[0].process is process


def test_a_child_that_somebody_kills_is_replaced_and_no_mail_is_lost(renderers: Renderers) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)
    os.kill(renderers.pids[0], signal.SIGKILL)
    assert isinstance(renderers.render([task(shape)])[0], Rendered)


def test_a_child_that_stands_still_is_replaced_and_no_mail_is_lost(
    renderers: Renderers, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)
    stopped = renderers.pids
    os.kill(stopped[0], signal.SIGSTOP)
    # Enough for a new one to begin, on a busy machine, too.
    monkeypatch.setattr("leadflow.email.process.PATIENCE", 3.0)
    assert isinstance(renderers.render([task(shape)])[0], Rendered)
    assert renderers.pids != stopped


def test_a_loop_goes_on_while_a_batch_is_written(renderers: Renderers) -> None:
    shape = renderers.compile(email(BODY), "en", BASE)

    async def both() -> tuple[list[Rendered | TemplateError], str]:
        found, word = await asyncio.gather(renderers.submit([task(shape)] * 60), asyncio.sleep(0, "on"))
        return found, word

    found, word = asyncio.run(both())
    assert (sum(isinstance(one, Rendered) for one in found), word) == (60, "on")


def test_a_text_that_ends_every_child_is_no_longer_tried() -> None:
    with Renderers(seconds=0.2) as own:
        poison = own.compile(email(SLOW), "en", BASE)
        facts = {"lead.first_name": "ab" * 3000}
        found = own.render([task(poison, facts)] * 8)
    told = ["it was stopped" in str(one) for one in found]
    assert told == [True] * 3 + [False] * 5
