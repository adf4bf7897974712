"""What a mail looks like for a person, by the very code that sends it, without a database."""

from collections.abc import Mapping

from leadflow.email.catalog import Email
from leadflow.email.compile import Base, compile_email
from leadflow.email.render import Links, Rendered, render_email

#: What the paths of our own forms and pages begin with.
OURS = ("/f/", "/p/")


def preview_email(email: Email, language: str, facts: Mapping[str, object], base: Base) -> Rendered:
    """`email` in `language` for the person of `facts`; links lead straight to the pages, untracked."""
    site = str(facts.get("brand.site", ""))
    links = Links(
        page=lambda path: page_url(site, path), url=str, unsubscribe=f"{site}/unsubscribe", confirm=f"{site}/confirm"
    )
    return render_email(compile_email(email, language, base), facts, links)


def page_url(site: str, path: str, door: str = "") -> str:
    """The address of a page of the brand's site; of the public `door` for a form (`/f/…`) or page (`/p/…`) of ours."""
    if door and path.startswith(OURS):
        return f"{door.rstrip('/')}{path}"
    return f"{site.rstrip('/')}/{path.lstrip('/')}"
