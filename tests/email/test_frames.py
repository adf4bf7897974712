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
from leadflow.email.pieces import Page, Pieces
from leadflow.email.pool import Task, _encoded
from leadflow.email.render import Drawn, MissingValueError, Rendered, _tidied, _tidy
from leadflow.errors import TemplateError
from tests.email.test_compile import BASE
from tests.email.test_pool import BODY, email, task

PIECES = Pieces(["<p>", "</p>"])


def payload(frame: bytes) -> memoryview:
    return memoryview(frame)[frames.HEAD :]


@pytest.mark.parametrize("said", ["a", "", "é\n", ",", '","', ',"', '",', "\\", '\\","'])
def test_a_mail_comes_back_as_it_was(said: str) -> None:
    html = Page(pieces=["<p>", said, said, "</p>", said], order=["0", "_", "_", "1", "_"], said=[said] * 3)
    frame = frames.mail_frame(Drawn(subject="é", preheader="", html=html, text=Page.of(said)))
    found = frames.read_mail(payload(frame), PIECES, PIECES)
    assert found == Rendered(subject="é", preheader="", html=f"<p>{said}{said}</p>{said}", text=said)
    assert (orjson.loads(found.html_json), orjson.loads(found.text_json)) == (found.html, said)


def test_a_page_that_is_all_the_templates_own_or_none_of_it_comes_back_too() -> None:
    for order, said, page in (("", [], ""), ("1", [], "</p>"), ("0 1", [], "<p></p>"), ("_", ["a"], "a")):
        assert PIECES.page(order, said, 100) == (page, orjson.dumps(page))


@pytest.mark.parametrize("said", ["", "é", '"', "</body>"])
def test_an_ending_stands_where_the_body_ends_for_the_last_time(said: str) -> None:
    pieces = Pieces(["<body>", "é</body>a</body>b"])
    page, as_json = pieces.page("0 _ 1 _", [said, said], 100, '"é"')
    assert (page, orjson.loads(as_json)) == (f'<body>{said}é</body>a"é"</body>b{said}', page)
    assert PIECES.page("0 _ 1", [said], 100, '"é"') == PIECES.page("0 _ 1", [said], 100)


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(("a", "b ", " c", "d\n", "", " ", "\n", "\n\n", "\t", "\xa0"))))
)
def test_a_text_in_pieces_is_as_tidy_as_one_that_is_whole(parts: list[tuple[bool, str]]) -> None:
    order = ["0" if is_own else "_" for is_own, _words in parts]
    page = Page(pieces=[words for _own, words in parts], order=order, said=[words for own, words in parts if not own])
    assert "".join(_tidied(page).pieces) == _tidy("".join(page.pieces))


@pytest.mark.parametrize("kind", [TemplateError, MissingValueError])
def test_a_failure_comes_back_with_its_kind_and_place(kind: Callable[..., TemplateError]) -> None:
    found = frames.read_mail(payload(frames.failure_frame(kind("a\nb", line=3, column=4))), PIECES, PIECES)
    assert (type(found), str(found)) == (kind, "a b")
    assert isinstance(found, TemplateError)
    assert (found.line, found.column) == (3, 4)


def _mail(subject: str = "", preheader: str = "", order: str = "", said: object = (), text: object = ("", ())) -> bytes:
    return b"m" + orjson.dumps([subject, preheader, [order, said], text])


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"x",
        b"m",
        b"mmmmmmmmmmmmmmmmmmmmmmm",
        b'm["a", "", ["", []]]',
        b'm["\xff", "", ["", []], ["", []]]',
        b'm["\\ud800", "", ["", []], ["", []]]',
        _mail("a\r\nBcc: b@c.example"),
        _mail("a", "b\0"),
        _mail("a" * 10_001),
        _mail(text="a"),
        _mail(text=["_", ["a" * 2_000_001]]),
        _mail(order="_", said=["a" * 2_000_001]),
        _mail(order="0 " * 700_000),
        _mail(order="0 _"),
        _mail(order="_", said=["a", "b"]),
        _mail(order="2"),
        _mail(order="-1"),
        _mail(order="0 a"),
        _mail(order="_", said=[1]),
        _mail(order="_", said="a"),
        b"f{}",
        b"f[",
        b'f[1, "a", 0, 0]',
        b'f[true, "' + b"a" * 401 + b'", 0, 0]',
        b's["a", "b", "c", [], [], [], [], []]',
    ],
)
def test_what_no_renderer_says_is_not_believed(said: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        frames.read_mail(memoryview(said), PIECES, PIECES)


@pytest.mark.parametrize(
    "told",
    [
        {},
        ["a", "b", "c", "", [1], [], [], [], []],
        ["a", "b", "c", "", [], [], [["link_0", "page"]], [], []],
        ["a", "b", "c", "", [], [], [["link_0", "page", "never named"]], [], []],
        ["a", "b", "c", "", [], [], ["abc"], [], []],
        ["a", "b", "c", "", [], [], [], [], [1]],
        ["a", "b", "c", "", [], [], [], []],
    ],
)
def test_links_that_no_template_names_are_not_believed(told: object) -> None:
    with pytest.raises(BrokenAnswerError):
        frames.read_shape(memoryview(b"s" + orjson.dumps(told)), "", b"")


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda rest: b"m" + rest)))
def test_whatever_it_says_is_a_mail_a_failure_or_not_believed(said: bytes) -> None:
    for read in (lambda told: frames.read_mail(told, PIECES, PIECES), lambda told: frames.read_shape(told, "", b"")):
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
    assert [Rendered, MissingValueError, Rendered] == [
        type(frames.read_mail(answer, shape.html, shape.text)) for answer in answers
    ]


def _bytes(one: Task) -> bytes:
    told = _encoded(one)
    assert isinstance(told, bytes)
    return told


def test_a_text_that_does_not_compile_is_refused_for_each_mail() -> None:
    source = frames.source_of(email("{{ 9 ** 9 }}"), "en", BASE)
    answers = asked(["compile", "k", "en", source.decode()], ["render", [["k", {}, [], "", "", ""]] * 2])
    assert [str(frames.read_mail(answer, PIECES, PIECES)) for answer in answers] == [
        "templates may not use the operator '**'"
    ] * 3


def test_more_than_a_megabyte_about_one_person_is_refused() -> None:
    shape = Shape(key="k", name="", language="", version="", variant="", pages=(), urls=(), slots={}, source=b"")
    assert isinstance(_encoded(task(shape, {"lead.first_name": "a" * 1_000_001})), TemplateError)
