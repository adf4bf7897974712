"""Posts signed event webhooks as SendGrid does: several copies of each, in no order, late, and again until a 2xx."""

import asyncio
import base64
import json
import random
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults.manners import Manners
from tests.faults.message_log import full_id
from tests.faults.record import Accepted


class News:
    """What happens to accepted mails, told to one address; silent without one."""

    def __init__(self, manners: Manners, tally: Counter[str]) -> None:
        self._manners = manners
        self._tally = tally
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._random = random.Random(manners.seed)
        self._posts: set[asyncio.Task[None]] = set()

    @property
    def public_key(self) -> str:
        """Base64 DER, as the provider's settings page shows it."""
        kind, shape = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self._key.public_key().public_bytes(kind, shape)).decode()

    def happened(self, row: Accepted) -> None:
        """Tell of a mail that was accepted: processed, then delivered."""
        if not self._manners.webhook:
            return
        for word in ("processed", "delivered"):
            event = _event(row, word)
            for _copy in range(self._random.randint(1, self._manners.copies)):
                post = asyncio.ensure_future(self._post([event], self._random.random() * self._manners.delay))
                self._posts.add(post)
                post.add_done_callback(self._posts.discard)

    def stop(self) -> None:
        """Tell nothing more."""
        for post in self._posts:
            post.cancel()

    async def _post(self, events: list[Any], delay: float) -> None:
        await asyncio.sleep(delay)
        # SendGrid's own bytes end like this, and the signature is over them.
        raw = json.dumps(events).encode() + b"\r\n"
        while await self._try(raw) // 100 != 2:
            self._tally["news again"] += 1
            await asyncio.sleep(0.2)
        self._tally["news"] += 1

    async def _try(self, raw: bytes) -> int:
        """The status of one attempt; 0 when nobody answered."""
        stamp = str(int(time.time()))
        signature = base64.b64encode(self._key.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))).decode()
        where = urlsplit(self._manners.webhook)
        lines = [
            f"POST {where.path} HTTP/1.1",
            f"Host: {where.netloc}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(raw)}",
            f"X-Twilio-Email-Event-Webhook-Signature: {signature}",
            f"X-Twilio-Email-Event-Webhook-Timestamp: {stamp}",
        ]
        try:
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write("\r\n".join([*lines, "", ""]).encode() + raw)
            first = await reader.readline()
            writer.close()
        except OSError:
            return 0
        return int(first.split()[1]) if first.startswith(b"HTTP/") else 0


def _event(row: Accepted, word: str) -> dict[str, Any]:
    return {
        "email": row.to,
        "timestamp": int(row.at),
        "event": word,
        "sg_event_id": f"{word}-{row.id}",
        "sg_message_id": full_id(row),
        # Merged into the top level here, nested in the log.
        "lf_message": str(row.message),
        "lf_attempt": row.attempt,
    }
