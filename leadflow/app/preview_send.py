"""One mail to one's own mailbox by the workspace's provider: marked as a test, and in no table."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from leadflow.app.preview import Workbench, email_called
from leadflow.app.preview_readers import Kind, Reader, reader
from leadflow.app.workspace import refuse_real_mail
from leadflow.email.variants import ORIGINAL, shares_of
from leadflow.errors import ProviderError, UnknownOutcomeError, UsageError
from leadflow.esp import open_provider
from leadflow.intake.addresses import AddressError, read_address
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.ports import EmailProvider, Outgoing
from leadflow.settings import Settings
from leadflow.text import _

#: What a mailbox can be told to sort by.
HEADER = "X-Leadflow-Test"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestMail:
    """A test that was sent."""

    mail: Outgoing
    provider: str
    #: The provider's id; of the file adapter, the file below the outbox.
    sent_as: str


def send_test(
    settings: Settings,
    name: str,
    to: str,
    now: datetime,
    *,
    language: str | None = None,
    lead: str = Kind.SAMPLE,
    variant: str | None = None,
) -> TestMail:
    """Send the email `name` to `to` as `lead` would get it; nothing is written, links lead straight to their pages."""
    refuse_real_mail(settings)
    mail = write_test(settings, name, to, now, language=language, lead=lead, variant=variant)
    provider = open_provider(settings.esp, settings)
    return TestMail(mail=mail, provider=provider.name, sent_as=asyncio.run(_send(provider, mail)))


def write_test(
    settings: Settings,
    name: str,
    to: str,
    now: datetime,
    *,
    language: str | None = None,
    lead: str = Kind.SAMPLE,
    variant: str | None = None,
) -> Outgoing:
    """The mail of `send_test`; UsageError for what is typed wrong, and where this lead would not get the mail."""
    playbook = load_playbook(settings.workspace)
    whose = _reader(settings, playbook, name, (language, lead, variant))
    address = _address(to)
    with Workbench(settings) as bench:
        shown = bench.preview_for(playbook, whose, now)
    if shown.rendered is None:
        raise UsageError("\n".join([shown.refused, *map(str, shown.findings)]))
    return Outgoing(
        # No message has this number, and nobody's attempt begins so: news of it counts for nobody.
        attempt_id=f"test-{uuid.uuid4().hex}",
        message_id=0,
        to=address,
        to_name="",
        from_address=shown.sender.address,
        from_name=shown.sender.name,
        reply_to=shown.sender.reply_to,
        subject=f"[test] {shown.rendered.subject}",
        html=shown.rendered.html,
        text=shown.rendered.text,
        unsubscribe_url=shown.unsubscribe_url,
        language=shown.reader.language,
        # A category of its own at the provider: its figures are not those of the email.
        email=f"test-{name}",
        send_at=now.astimezone(ZoneInfo(playbook.office.zone)),
        headers={HEADER: "1"},
    )


def _reader(settings: Settings, playbook: Playbook, name: str, asked: tuple[str | None, str, str | None]) -> Reader:
    email, (language, lead, variant) = email_called(playbook, name), asked
    if language is not None and language not in email.bodies:
        told = _("{name} is not written in {language}. It is written in: {languages}")
        raise UsageError(told.format(name=name, language=language, languages=", ".join(email.bodies)))
    known = [one or ORIGINAL for one in shares_of(email)]
    if variant is not None and variant not in known:
        told = _("{name} has no variant called {variant}. One of: {variants}")
        raise UsageError(told.format(name=name, variant=variant, variants=", ".join(known)))
    return reader(settings, playbook, email, language, lead, variant)


def _address(to: str) -> str:
    try:
        return read_address(to).value
    except AddressError as error:
        raise UsageError(_("--to {to}: this is no address ({why})").format(to=to, why=error)) from None


async def _send(provider: EmailProvider, mail: Outgoing) -> str:
    try:
        return await provider.send(mail)
    except UnknownOutcomeError as error:
        raise UnknownOutcomeError(_("it may have arrived, look: {why}").format(why=error)) from None
    except ProviderError as error:
        raise ProviderError(_("not sent: {why}").format(why=error)) from None
    finally:
        await provider.close()
