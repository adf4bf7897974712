"""`leadflow.yaml`, `social`: which words of a social tool's webhook say who engaged, where and when."""

import re
from collections.abc import Mapping

from leadflow.playbook.model import SocialTool
from leadflow.reading import Node
from leadflow.text import _

PATHS = ("items", "email", "external_id", "id", "at", "network")
_PATH = re.compile(r"[A-Za-z0-9_@-]+(\.[A-Za-z0-9_@-]+)*")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


def social_of(node: Node) -> Mapping[str, SocialTool]:
    """`social: {tool: {items: data, email: contact.email, network: channel, id: id, at: created_at}}`."""
    return {name.raw: _tool(name, value) for name, value in node.items()}


def _tool(name: Node, node: Node) -> SocialTool:
    if not _NAME.fullmatch(name.raw):
        name.fault(_('"{word}" cannot be a name: small letters, digits and - only').format(word=name.raw))
    node.only(*PATHS, "network_is")
    paths = {part: _path(node.part(part)) for part in PATHS}
    if not paths["email"] and not paths["external_id"]:
        name.fault(_('{name} does not say who: write "email" or "external_id"').format(name=name.raw))
    fixed = node.part("network_is").text() or ""
    if bool(fixed) == bool(paths["network"]):
        name.fault(_('{name} needs either "network" (where its name stands) or "network_is"').format(name=name.raw))
    return SocialTool(name=name.raw, network_is=fixed, **paths)


def _path(node: Node) -> str:
    raw = node.text() or ""
    if raw and not _PATH.fullmatch(raw):
        node.fault(_('"{word}" is no path: write names with dots between them, data.contact.email').format(word=raw))
    return raw
