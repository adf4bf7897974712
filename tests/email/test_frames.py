"""The parent's side of a conversation with a process it does not trust, and the child's side without one."""

import io
import struct
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow.email import frames
from leadflow.email.child import serve
from leadflow.email.frames import BrokenAnswerError, Shape
from leadflow.email.pool import Task, _encoded
from leadflow.email.render import MissingValueError, Rendered
from leadflow.errors import TemplateError
from tests.email.test_compile import BASE
from tests.email.test_pool import BODY, email, task

MAIL = Rendered(subject="é", preheader="", html="<p>a</p>", text="a\n")


def payload(frame: bytes) -> memoryview:
    return memoryview(frame)[frames.HEAD :]


def test_a_mail_comes_back_as_it_was() -> None:
    assert frames.read_mail(payload(frames.mail_frame(MAIL))) == MAIL


@pytest.mark.parametrize("kind", [TemplateError, MissingValueError])
def test_a_failure_comes_back_with_its_kind_and_place(kind: Callable[..., TemplateError]) -> None:
    found = frames.read_mail(payload(frames.failure_frame(kind("a\nb", line=3, column=4))))
    assert (type(found), str(found)) == (kind, "a b")
    assert isinstance(found, TemplateError)
    assert (found.line, found.column) == (3, 4)


def _mail(*parts: bytes, sizes: tuple[int, ...] | None = None) -> bytes:
    return b"m" + struct.pack("<IIII", *(sizes or map(len, parts))) + b"".join(parts)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"x",
        b"m",
        b"mmmmmmmmmmmmmmmmmmmmmmm",
        _mail(b"a", b"", b"", b"", sizes=(2, 0, 0, 0)),
        _mail(b"a", b"", b"", b"", sizes=(0, 0, 0, 0)),
        _mail(b"\xff", b"", b"", b""),
        _mail(b"a\r\nBcc: b@c.example", b"", b"", b""),
        _mail(b"a", b"b\0", b"", b""),
        _mail(b"a" * 10_001, b"", b"", b""),
        _mail(b"", b"", b"a" * 2_000_001, b""),
        b"f{}",
        b"f[",
        b'f[1, "a", 0, 0]',
        b'f[true, "' + b"a" * 401 + b'", 0, 0]',
        b's["a", "b", "c", [], [], []]',
    ],
)
def test_what_no_renderer_says_is_not_believed(said: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        frames.read_mail(memoryview(said))


@pytest.mark.parametrize(
    "told",
    [
        {},
        ["a", "b", "c", [1], [], []],
        ["a", "b", "c", [], [], [["link_0", "page"]]],
        ["a", "b", "c", [], [], [["link_0", "page", "never named"]]],
        ["a", "b", "c", [], [], ["abc"]],
    ],
)
def test_links_that_no_template_names_are_not_believed(told: object) -> None:
    with pytest.raises(BrokenAnswerError):
        frames.read_shape(memoryview(b"s" + orjson.dumps(told)), "", b"")


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda rest: b"m" + rest)))
def test_whatever_it_says_is_a_mail_a_failure_or_not_believed(said: bytes) -> None:
    for read in (frames.read_mail, lambda told: frames.read_shape(told, "", b"")):
        try:
            assert isinstance(read(memoryview(said)), Rendered | TemplateError | Shape)
        except BrokenAnswerError:
            continue


def test_an_answer_that_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(BrokenAnswerError):
        frames.length_of(struct.pack("<I", 9_000_000), 0, frames.LONGEST_ANSWER)


def asked(*questions: list[object] | bytes) -> list[memoryview]:
    """What a child answers, in this process."""
    said = [frames.framed(one if isinstance(one, bytes) else orjson.dumps(one)) for one in questions]
    answers = bytearray()
    times: list[bool] = []

    def write(some: memoryview) -> int:
        answers.extend(some[:1000])
        return len(some[:1000])

    serve(io.BytesIO(b"".join(said)), write, times.append)
    assert times == [True, False] * (len(times) // 2)
    found, at = [], 0
    while at < len(answers):
        end = at + frames.HEAD + frames.length_of(bytes(answers), at, frames.LONGEST_ANSWER)
        found.append(memoryview(bytes(answers))[at + frames.HEAD : end])
        at = end
    return found


def test_a_child_compiles_once_and_writes_often() -> None:
    source = frames.source_of(email(BODY), "en", BASE)
    (answer,) = asked(["compile", "k", "fr", source.decode()])
    shape = frames.read_shape(answer, "k", source)
    assert isinstance(shape, Shape)
    tasks = [task(shape), task(shape, {"lead.first_name": None}), task(shape, {"lead.first_name": "\ud800"})]
    question = b'["render",[' + b",".join(_bytes(one) for one in tasks) + b"]]"
    answers = asked(["compile", "k", "fr", source.decode()], question)[1:]
    assert [Rendered, MissingValueError, Rendered] == [type(frames.read_mail(answer)) for answer in answers]


def _bytes(one: Task) -> bytes:
    told = _encoded(one)
    assert isinstance(told, bytes)
    return told


def test_a_text_that_does_not_compile_is_refused_for_each_mail() -> None:
    source = frames.source_of(email("{{ 9 ** 9 }}"), "en", BASE)
    answers = asked(["compile", "k", "en", source.decode()], ["render", [["k", {}, [], "", "", ""]] * 2])
    assert [str(frames.read_mail(answer)) for answer in answers] == ["templates may not use the operator '**'"] * 3


def test_more_than_a_megabyte_about_one_person_is_refused() -> None:
    shape = Shape(key="k", name="", language="", version="", variant="", pages=(), urls=(), slots={}, source=b"")
    assert isinstance(_encoded(task(shape, {"lead.first_name": "a" * 1_000_001})), TemplateError)
