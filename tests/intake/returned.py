"""Mails as they come back, written as servers and people write them; addresses and ids are the caller's."""

import hashlib
from email.message import EmailMessage

OURS = "<w1-7@mail.a.example>"
_REPORT = """From: MAILER-DAEMON@mx.x.example
To: <hello@a.example>
Subject: Report
Date: Mon, 23 Mar 2026 08:00:00 +0100
Message-ID: <{id}@mx.x.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="==b"

--==b
Content-Type: text/plain

What happened, for people.

--==b
Content-Type: message/{kind}

{about}
--==b
Content-Type: {enclosed}

{original}
--==b--
"""


def bounce(address: str = "p1@x.example", *, action: str = "failed", status: str = "5.1.1", **more: str) -> bytes:
    """A delivery status notification on our mail OURS to one address."""
    fields = {"Final-Recipient": f"rfc822; {address}", "Action": action, "Status": status}
    diagnosis = more.get("diagnosis", "smtp; 550 5.1.1 no such user")
    about = f"Reporting-MTA: dns; mx.x.example\n\n{_lines(fields)}Diagnostic-Code: {diagnosis}\n"
    original = f"Message-ID: {more.get('original', OURS)}\nTo: <{address}>\nSubject: Hello\n"
    return _report("delivery-status", about, original, more.get("enclosed", "message/rfc822"))


def complaint(address: str | None = "p1@x.example", kind: str = "abuse") -> bytes:
    """A feedback report on our mail OURS; without an address it leaves that out, as many do."""
    fields = {"Feedback-Type": kind, "User-Agent": "Someone/1", "Version": "1"}
    if address:
        fields["Original-Rcpt-To"] = f"<{address}>"
    original = f"Message-ID: {OURS}\nTo: Reader <p1@x.example>\n"
    return _report("feedback-report", _lines(fields), original, "message/rfc822")


def reply(text: str = "Yes, call me.", kind: str = "plain", /, **headers: str) -> bytes:
    """A person's answer to our mail OURS."""
    mail = EmailMessage()
    plain = {"From": "Claire <p1@x.example>", "Subject": "Re: Hello", "Message-ID": "<r1@x.example>"}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in (plain | {"In-Reply-To": OURS, "Date": "Mon, 23 Mar 2026 08:00:00 +0100"} | given).items():
        if value:
            mail[name] = value
    mail.set_content(text, subtype=kind)
    return mail.as_bytes()


def _report(kind: str, about: str, original: str, enclosed: str) -> bytes:
    id = hashlib.sha256((about + original).encode()).hexdigest()[:12]
    return _REPORT.format(kind=kind, id=id, about=about, original=original, enclosed=enclosed).encode()


def _lines(fields: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in fields.items())
