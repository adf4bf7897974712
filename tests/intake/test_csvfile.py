"""A CSV file is read with its bytes; what spoils the whole of it is located before anything is written."""

from pathlib import Path

import pytest

from leadflow.errors import InputError
from leadflow.intake import csvlines
from leadflow.intake.csvfile import open_csv


def written(folder: Path, content: bytes | str, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(path: Path, **options: str) -> list[tuple[str, ...]]:
    return [record.cells for record in open_csv(path, **options).records()]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_among_four(tmp_path: Path, sign: str) -> None:
    file = open_csv(written(tmp_path, f"email{sign}first name\na@b.c{sign}Ana\n"))
    assert (file.delimiter, file.header, file.rows) == (sign, ("email", "first name"), 1)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert open_csv(written(tmp_path, b"\xef\xbb\xbfemail,name\na@b.c,x\n")).header == ("email", "name")


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    path = written(tmp_path, 'email,note\r\na@b.c,"one, ""two""\r\nthree"\r\n\r\nd@e.f,\r\n')
    (first, second) = open_csv(path).records()
    assert first.cells == ("a@b.c", 'one, "two"\r\nthree')
    assert (first.line, second.line, second.cells) == (2, 5, ("d@e.f", ""))
    assert first.raw == b'a@b.c,"one, ""two""\r\nthree"\r\n'


def test_declared_encodings_are_read(tmp_path: Path) -> None:
    text = "email;prénom\na@b.c;Zoé\n"
    for encoding in ("cp1252", "latin-1", "utf-16", "utf-8-sig"):
        path = written(tmp_path, text.encode(encoding), f"{encoding}.csv")
        assert rows(path, encoding=encoding) == [("a@b.c", "Zoé")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "leads.csv: the file is empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "leads.csv is an Excel workbook (.xlsx), whatever its name says"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "leads.csv is an old Excel workbook (.xls)"),
        ("email;nom\na@b.c;Zoé\n".encode("cp1252"), "leads.csv:2:9  the bytes E9 are not utf-8."),
        ("email\na@b.c\n".encode("utf-16"), "leads.csv is written in utf-16: say so with --encoding utf-16"),
        (b'email,name\na@b.c,"Ana\nd@e.f,Bo\n', "leads.csv:2:7  a quote is opened here and never closed"),
        (b'email,name\n"a@b.c,Ana\n"d@e.f",Bo\n', "leads.csv:2:1  a quote is opened here and never closed"),
        (b'email,name\nx,y\n"a@b.c","An\n' + b"d@e.f,Bo\n" * 300, "leads.csv:3:9  a quote is opened here"),
        (b"email,name,email\na,b,c\n", 'leads.csv:1:1  two columns are called "email"'),
        (b"a@b.c,Ana\nd@e.f,Bo\n", "leads.csv:1:1  the first line has an address in it"),
        (b",,\na,b,c\n", "leads.csv:1:1  the header cannot be read: no column has a name"),
        (b"email\ra@b.c\r", "leads.csv: its lines end the way old Macs end them"),
    ],
)
def test_what_spoils_a_file_is_located_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError) as refused:
        open_csv(written(tmp_path, content))
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("at_once", [1, 9, 40])
def test_lines_are_read_by_the_thousand_and_records_run_on_beyond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    path = written(tmp_path, 'email,note\r\n\r\na@b.c,x\n"d@e.f","one\ntwo\n\nthree"\ng@h.i,\n\nj@k.l,"a"b\nm@n.o,"z"')
    whole = list(open_csv(path).records())
    monkeypatch.setattr(csvlines, "_AT_ONCE", at_once)
    file = open_csv(path)
    assert list(file.records()) == whole
    assert [record.line for record in whole] == [3, 4, 8, 10, 11]
    assert (file.rows, b"".join(record.raw for record in whole)) == (
        5,
        path.read_bytes()[14:].replace(b",\n\n", b",\n"),
    )


def test_the_line_of_a_fault_far_down_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvlines, "_AT_ONCE", 20)
    for fault, words in ((b"d@e.f,\xe9\n", ":52:7  the bytes E9"), (b'd@e.f,"x\n', ":52:7  a quote is opened")):
        path = written(tmp_path, b"email,name\n" + b"a@b.c,Ana\n" * 50 + fault)
        with pytest.raises(InputError, match=words):
            open_csv(path)


def test_a_file_or_encoding_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: the file cannot be opened"):
        open_csv(tmp_path / "gone.csv")
    with pytest.raises(InputError, match='"klingon" is no encoding'):
        open_csv(written(tmp_path, "email\n"), encoding="klingon")


def test_a_mark_of_utf_8_beats_a_wrong_declaration(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfemail\na@b.c\n")
    with pytest.raises(InputError, match="says of itself that it is UTF-8: leave out --encoding cp1252"):
        open_csv(path, encoding="cp1252")


def test_a_row_that_cannot_be_read_spoils_no_other(tmp_path: Path) -> None:
    path = written(tmp_path, b'email,name\na@b.c,"Ana"x\nd@e.f,B\x00o\ng@h.i,Cy\n')
    faults = [record.fault for record in open_csv(path).records()]
    assert faults == ['there is "x" after a closing quote', "the row has a NUL byte in it", None]
