"""The origins of the site: its own pages may post to our doors by script and show our forms in a frame."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request

from leadflow.app import App


def site_origins(app: App) -> tuple[str, ...]:
    """Those of the brand's site, with and without `www.`, and of the public door."""
    brand, door = _origin(app.playbook.brand.site), _origin(app.settings.public_url)
    scheme, _colon, host = brand.partition("://")
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    return tuple(dict.fromkeys((brand, f"{scheme}://{other}", door)))


def is_ours(request: Request, app: App) -> bool:
    """Whether a page of the site asks, as far as its browser says."""
    asking = request.headers.get("origin", "")
    return asking in site_origins(app)


def cross_origin(request: Request, app: App) -> Mapping[str, str]:
    """The headers that let a script of the site read the answer; nothing for anybody else."""
    if not is_ours(request, app):
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": request.headers["origin"], "Vary": "Origin"}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
