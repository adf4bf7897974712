"""SPF, DKIM and DMARC of the sender's domains, as their TXT records say; whoever asks brings the resolver."""

import re
from collections.abc import Callable, Iterator, Sequence

from leadflow.ask.finding import Finding, note, ok, wrong
from leadflow.errors import LeadflowError
from leadflow.text import _

#: The TXT records of a name, none where there is none; DnsError when nobody answers.
Resolve = Callable[[str], Sequence[str]]
#: What SendGrid names its keys.
SENDGRID_SELECTORS = ("s1", "s2")
_SECONDS = 5.0


class DnsError(LeadflowError):
    """No name server answers."""


def txt_records(name: str) -> Sequence[str]:
    """The TXT records of `name`, asked of this machine's name servers."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException as error:
        raise DnsError(type(error).__name__) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def dns_findings(
    domains: Sequence[str], selectors: Sequence[str], resolve: Resolve, *, signed_by_provider: bool
) -> Iterator[Finding]:
    """What mailbox providers find of each domain; `signed_by_provider` where bounces go to the provider's own."""
    for domain in domains:
        try:
            yield _spf(domain, resolve, needed=not signed_by_provider)
            yield _dkim(domain, selectors, resolve)
            yield _dmarc(domain, resolve)
        except DnsError as error:
            told = _("{domain}: no name server answers ({error})").format(domain=domain, error=error)
            yield note("dns", told, _("ask again from a machine that reaches one"))


def _spf(domain: str, resolve: Resolve, *, needed: bool) -> Finding:
    found = [record for record in resolve(domain) if re.match(r"v=spf1(\s|$)", record, re.IGNORECASE)]
    if len(found) > 1:
        told = _("{domain} has {n} SPF records: mailbox providers then believe none").format(
            domain=domain, n=len(found)
        )
        return wrong("spf", told, _("make one of them"))
    if not found:
        told = _("{domain} has no SPF record").format(domain=domain)
        do = _("publish the one your provider names, such as  v=spf1 include:… ~all")
        return (wrong if needed else note)("spf", told, do)
    if re.search(r"(^|\s)\+?all\b", found[0]):
        told = _("{domain}: SPF lets anybody send in your name ({record})").format(domain=domain, record=found[0])
        return wrong("spf", told, _("end it with ~all or -all"))
    return ok("spf", _("{domain} says who may send").format(domain=domain))


def _dkim(domain: str, selectors: Sequence[str], resolve: Resolve) -> Finding:
    if not selectors:
        told = _("{domain}: nobody said under which name its DKIM key stands").format(domain=domain)
        return note("dkim", told, _("set LEADFLOW_DKIM_SELECTORS"))
    for selector in selectors:
        keys = [record for record in resolve(f"{selector}._domainkey.{domain}") if _key(record)]
        if keys:
            told = _("{domain} has a DKIM key ({selector})").format(domain=domain, selector=selector)
            return ok("dkim", told)
    names = ", ".join(f"{selector}._domainkey.{domain}" for selector in selectors)
    do = _("authenticate the domain with your provider and publish the records it names")
    told = _("{domain} has no DKIM key at {names}").format(domain=domain, names=names)
    return wrong("dkim", told, do)


def _key(record: str) -> bool:
    """A key that has not been revoked (`p=` and nothing)."""
    return re.search(r"(?:^|;)\s*p=\s*[A-Za-z0-9+/]", record) is not None


def _dmarc(domain: str, resolve: Resolve) -> Finding:
    for name in _upwards(domain):
        for record in resolve(f"_dmarc.{name}"):
            policy = re.match(r"v=DMARC1\s*;.*?\bp=\s*(none|quarantine|reject)", record, re.IGNORECASE | re.DOTALL)
            if policy is not None:
                told = _("{name} has a DMARC policy: {policy}").format(name=name, policy=policy[1].lower())
                return ok("dmarc", told)
    do = _("publish  v=DMARC1; p=none; rua=mailto:…  at _dmarc.{domain}, and read the reports before you ask for more")
    told = _("{domain} has no DMARC policy").format(domain=domain)
    return wrong("dmarc", told, do.format(domain=domain))


def _upwards(domain: str) -> Iterator[str]:
    """The domain itself, then those above it: a policy there holds here too."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        yield ".".join(labels[start:])
