"""Builds the MIME message of one mail: text and HTML, RFC 8058 headers, nothing a person typed can add a header."""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from leadflow.email.render import one_line
from leadflow.errors import RefusedError
from leadflow.ports import Outgoing


class _Policy(EmailPolicy):
    """SMTP's, but List-Unsubscribe stays on one line: some relays break the signature of a folded one."""

    def fold(self, name: str, value: str) -> str:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _Policy(linesep=SMTP.linesep)


def build_message(mail: Outgoing) -> EmailMessage:
    """The message of `mail`; RefusedError when an address cannot stand in a header."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(mail.from_name, mail.from_address)
    message["To"] = _address(mail.to_name, mail.to)
    message["Reply-To"] = _address("", mail.reply_to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(mail.send_at)
    message["Message-ID"] = message_id(mail)
    message["Content-Language"] = mail.language
    for name, value in {**unsubscribe_headers(mail), **mail.headers}.items():
        message[name] = one_line(value)
    message.set_content(mail.text, cte="quoted-printable")
    # Base64 costs a tenth of quoted-printable to write, and nobody reads HTML raw.
    message.add_alternative(mail.html, subtype="html", cte="base64")
    for part in message.iter_parts():
        _bare(part)
    return message


def refuse_bad_addresses(mail: Outgoing) -> None:
    """RefusedError when an address of `mail` cannot stand in a header: every adapter refuses alike."""
    for address in (mail.to, mail.from_address, mail.reply_to):
        _address("", address)


def message_id(mail: Outgoing) -> str:
    """Made from our attempt, so that an answer can be traced to it whatever the provider called it."""
    return f"<{one_line(mail.attempt_id)}@{mail.from_address.rpartition('@')[2]}>"


def unsubscribe_headers(mail: Outgoing) -> dict[str, str]:
    """One-click unsubscribing, RFC 8058."""
    return {
        "List-Unsubscribe": f"<{one_line(mail.unsubscribe_url)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _address(name: str, address: str) -> Address:
    try:
        parsed = Address(display_name=one_line(name), addr_spec=address)
        parsed.addr_spec.encode("ascii")
    except (MessageError, ValueError, LookupError, AttributeError) as error:
        raise RefusedError("this address cannot stand in a mail header") from error
    return parsed


def _bare(part: object) -> None:
    # MIME-Version belongs to the whole, once.
    if isinstance(part, MIMEPart):
        del part["MIME-Version"]
