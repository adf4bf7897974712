"""Writes the MIME message of one mail from prepared parts; nothing a person typed can add a header.

The standard library's own message classes take milliseconds for what is the same in every mail of a night.
"""

import re
from base64 import b64encode
from binascii import b2a_qp
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b

from leadflow.email.render import one_line
from leadflow.errors import BuildError, LeadflowError, RefusedError
from leadflow.ports import Outgoing

#: What most addresses look like; the others are read the long way.
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
#: Words that need neither quotes nor encoding.
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
#: A line of a header, and the bytes of UTF-8 whose base64 fits in one beside what surrounds it.
_WIDTH, _WORD = 76, 39
_END = "\r\n"


def write_message(mail: Outgoing) -> bytes:
    """The message of `mail`, ready for the wire; RefusedError when an address cannot stand in a header.

    BuildError for whatever else is wrong with it: a poison mail fails alone.
    """
    try:
        return _written(mail)
    except LeadflowError:
        raise
    except Exception as error:
        raise BuildError(type(error).__name__) from error


def _written(mail: Outgoing) -> bytes:
    boundary = blake2b(mail.attempt_id.encode("utf-8", "replace"), digest_size=12).hexdigest()
    headers = [
        *_of_sender(mail.from_name, mail.from_address, mail.reply_to),
        _address("To", mail.to_name, mail.to),
        _text("Subject", mail.subject),
        *_of_run(mail.send_at, mail.language),
        f"Message-ID: {message_id(mail)}",
        # On one line however long: some relays break the signature of a folded one.
        *(f"{name}: {value}" for name, value in unsubscribe_headers(mail).items()),
        *(_text(name, value) for name, value in mail.headers.items()),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    head = _END.join(headers).encode("ascii")
    line = f"\r\n--{boundary}".encode()
    parts = (line[2:], _TEXT, _quoted(mail.text), line, _HTML, _base64(mail.html), line, b"--\r\n")
    return b"".join((head, b"\r\n\r\n", *parts))


_PART = "\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {how}\r\n\r\n"
_TEXT = _PART.format(kind="plain", how="quoted-printable").encode()
# A tenth of what quoted-printable costs to write, and nobody reads HTML raw.
_HTML = _PART.format(kind="html", how="base64").encode()


def refuse_bad_addresses(mail: Outgoing) -> None:
    """RefusedError when an address of `mail` cannot stand in a header: every adapter refuses alike."""
    for address in (mail.to, mail.from_address, mail.reply_to):
        _refuse_bad(address)


def message_id(mail: Outgoing) -> str:
    """Made from our attempt, so that an answer can be traced to it whatever the provider called it."""
    attempt = re.sub(r"[^\x21-\x7e]|[<>@]", "_", one_line(mail.attempt_id))
    return f"<{attempt}@{mail.from_address.rpartition('@')[2]}>"


def unsubscribe_headers(mail: Outgoing) -> dict[str, str]:
    """One-click unsubscribing, RFC 8058."""
    return {
        "List-Unsubscribe": f"<{_ascii(mail.unsubscribe_url)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@lru_cache(maxsize=64)
def _of_sender(name: str, address: str, reply_to: str) -> tuple[str, str]:
    return _address("From", name, address), _address("Reply-To", "", reply_to)


@lru_cache(maxsize=16)
def _of_run(send_at: datetime, language: str) -> tuple[str, str]:
    return f"Date: {format_datetime(send_at)}", _text("Content-Language", language)


def _refuse_bad(address: str) -> None:
    if _PLAIN.fullmatch(address):
        return
    try:
        Address(addr_spec=address).addr_spec.encode("ascii")
    except (MessageError, ValueError, LookupError, AttributeError) as error:
        raise RefusedError("this address cannot stand in a mail header") from error


def _address(header: str, name: str, address: str) -> str:
    _refuse_bad(address)
    name = one_line(name)
    if not name:
        return f"{header}: {address}"
    if _ATOMS.fullmatch(name) and "=?" not in name:
        shown = name
    elif name.isascii() and "=?" not in name:
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        shown = ""
    if shown and len(header) + 2 + len(shown) <= _WIDTH:
        whole = f"{header}: {shown} <{address}>"
        return whole if len(whole) <= _WIDTH else f"{header}: {shown}{_END} <{address}>"
    return f"{header}: {_words(name)}{_END} <{address}>"


def _text(header: str, text: str) -> str:
    text = one_line(text)
    if text.isascii() and "=?" not in text and len(header) + 2 + len(text) <= _WIDTH:
        return f"{header}: {text}"
    return f"{header}: {_words(text)}"


def _words(text: str) -> str:
    """`text` as encoded words (RFC 2047), one a line, none of which cuts a letter in two."""
    words, word = [], b""
    for sign in text:
        letter = sign.encode("utf-8", "replace")
        if len(word) + len(letter) > _WORD:
            words.append(word)
            word = b""
        word += letter
    return f"{_END} ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in (*words, word))


def _ascii(text: str) -> str:
    return one_line(text).encode("ascii", "replace").decode()


def _quoted(text: str) -> bytes:
    lines = text.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def _base64(text: str) -> bytes:
    whole = b64encode(text.encode("utf-8", "replace"))
    return b"\r\n".join([whole[at : at + _WIDTH] for at in range(0, len(whole), _WIDTH)])
