"""Everything leadflow says is translated, with the same blanks to fill, and the compiled catalogue is up to date."""

import gettext
import io
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadflow.cli import main as commands
from leadflow.text import _, current_language, ngettext, set_language
from tools.messages import MO, PO, Message, compile_mo, extract, helps, read_po, write_po

BLANK = re.compile(r"\{\w*(?::[^{} ]*)?\}")
WRITTEN = read_po(PO.read_text(encoding="utf-8"))


@cache
def said() -> dict[str, Message]:
    """What the package says; not read where these tests are only listed."""
    return helps() | extract()


def blanks(text: str) -> Counter[str]:
    return Counter(BLANK.findall(text))


def test_every_message_is_in_the_catalogue_and_none_is_left_over() -> None:
    assert sorted(said()) == sorted(text for text in WRITTEN if text), "run: python tools/messages.py"


def test_every_message_has_all_its_translations() -> None:
    missing = [m.text for m in WRITTEN.values() if m.text and (not all(m.said) or len(m.said) != 1 + bool(m.plural))]
    assert missing == []


def test_every_translation_has_the_blanks_of_its_text() -> None:
    for message in WRITTEN.values():
        for said in message.said if message.text else ():
            whole = blanks(message.plural or message.text)
            # One form of a count may leave the number out.
            assert blanks(said) in (whole, blanks(message.text)), message.text


def test_spaces_at_either_end_are_kept() -> None:
    for message in WRITTEN.values():
        if message.text.startswith("  "):
            assert all(said.startswith("  ") for said in message.said), message.text


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (r"(?<=[a-zà-ÿ])'(?=[a-zà-ÿ])", "a straight apostrophe"),
        (r" [;?»](?=\s|$)", "a breaking space before a double sign"),
        (r"«(?!\u00a0)", "no space after an opening quotation mark"),
        (r"\.\.\.", "three dots instead of an ellipsis"),
    ],
)
def test_french_is_set_as_french_is(wrong: str, reason: str) -> None:
    found = [said for message in WRITTEN.values() if message.text for said in message.said if re.search(wrong, said)]
    assert found == [], reason


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    assert MO.read_bytes() == compile_mo(WRITTEN), "run: python tools/messages.py"


def test_gettext_reads_what_is_compiled_and_counts_as_french_does() -> None:
    french = gettext.GNUTranslations(io.BytesIO(MO.read_bytes()))
    assert french.gettext("no legal basis") == "pas de base légale"
    assert [french.ngettext("{n} mail", "{n} mails", n) for n in (0, 1, 2)] == [
        "{n} e-mail",
        "{n} e-mail",
        "{n} e-mails",
    ]


def test_a_catalogue_is_read_as_it_was_written() -> None:
    message = Message('say "{x}"\n\\', "says {x}", ["a.py"], ("dis « {x} »", "disent"))
    text = write_po({message.text: message})
    again = read_po(text)[message.text]
    assert (again.text, again.plural, again.said) == (message.text, message.plural, message.said)


def test_a_computed_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "leadflow").mkdir()
    (tmp_path / "leadflow" / "a.py").write_text('_(f"{x}")')
    with pytest.raises(ValueError, match=r"leadflow/a\.py:1: a text to translate must be written out"):
        extract(tmp_path)


def test_help_is_in_french_when_asked_for() -> None:
    commands._gather()

    def shown(*words: str) -> str:
        told = CliRunner().invoke(commands.app, words, env={"COLUMNS": "200"})
        return told.output

    assert "Raconte pourquoi" not in shown("--help")
    assert "Raconte pourquoi" in shown("--lang", "fr", "--help")
    assert "Une adresse, ou le numéro d’un lead" in shown("--lang", "fr", "why", "--help")


def test_french_is_spoken_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADFLOW_LANG", "fr_FR")
    assert (current_language(), _("none"), ngettext("{n} day", "{n} days", 3)) == ("fr", "aucun", "{n} jours")
    set_language("en")
    assert _("none") == "none"
    set_language(None)
