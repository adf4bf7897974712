"""A stand-in SendGrid over HTTP: mail/send with faults, and the message log behind its index."""

import asyncio
import json
import zlib
from collections import Counter
from typing import Any

from tests.faults.description import complaints
from tests.faults.manners import FAULTS, Fault, Manners, Weather
from tests.faults.message_log import QueryError, detail, search
from tests.faults.news import News
from tests.faults.record import Accepted, Record
from tests.faults.signals import strike
from tests.faults.wire import Head, answer, half_close, read_head, read_rest, reset, say

#: Answers that end the connection.
_ENDS = ("reset", "close", "garbage")


class SendGrid:
    """One account: what it was told to do, what it accepted, what it has counted."""

    def __init__(self, manners: Manners, record: Record, tally: Counter[str]) -> None:
        self.manners = manners
        self.record = record
        self.tally = tally
        self.weather = Weather(manners)
        self.news = News(manners, tally)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head) -> bool:
        """Answer one request; False when the connection is over."""
        if not head.headers.get("authorization", "").startswith("Bearer SG."):
            await say(writer, answer(401))
        elif (head.method, head.path) == ("POST", "/v3/mail/send"):
            return await self._take(reader, writer, head)
        elif head.path.startswith("/v3/logs"):
            raw = await read_rest(reader, b"", head.length)
            if raw is None:
                # Killed between the head of a question and its words.
                self.tally["cut off"] += 1
                return False
            await say(writer, self._tell(head, raw))
        else:
            await say(writer, answer(404))
        return True

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head) -> bool:
        half = await reader.read(max(head.length // 2, 1))
        name = self.weather.next(head.pid)
        fault = FAULTS[name]
        self.tally["requests"] += 1
        if fault.at == "body":
            await strike(fault.signal, head.pid, self.tally)
        body = await read_rest(reader, half, head.length)
        if body is None:
            # The sender died in mid-sentence: nobody accepts half a mail.
            self.tally["cut off"] += 1
            return False
        given = self._read(head, body)
        if given is None:
            await say(writer, answer(400, {"errors": [{"message": "invalid"}]}))
            return True
        if given["personalizations"][0]["to"][0]["email"].startswith("refused"):
            name, fault = "refuse", FAULTS["refuse"]
        self.tally[name] += 1
        return await self._decide(reader, writer, head, fault, given)

    def _read(self, head: Head, raw: bytes) -> Any:
        """The body, if it is one the official description allows."""
        packed = head.headers.get("content-encoding") == "gzip"
        try:
            body = json.loads(zlib.decompress(raw, 31) if packed else raw)
        except (ValueError, zlib.error):
            self.tally["invalid"] += 1
            return None
        found = complaints(body)
        if found is None:
            self.tally["unchecked"] += 1
        elif found:
            self.tally["invalid"] += 1
            return None
        return body

    async def _decide(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head, fault: Fault, body: Any
    ) -> bool:
        kept = self._accept(body) if fault.accepted else None
        if fault.at == "decided":
            await strike(fault.signal, head.pid, self.tally)
        await self._pause(fault.answer)
        await self._say(reader, writer, fault.answer, kept)
        if fault.at == "answered":
            await strike(fault.signal, head.pid, self.tally)
        return fault.answer not in _ENDS

    async def _pause(self, manner: str) -> None:
        seconds = {"slow": self.manners.slow, "late": self.manners.late}.get(manner, 0.0)
        if seconds:
            await asyncio.sleep(seconds)

    async def _say(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, manner: str, kept: Accepted | None
    ) -> None:
        if manner == "reset":
            reset(writer)
        elif manner == "close":
            await half_close(reader, writer)
        elif manner == "garbage":
            await say(writer, b"\x00\xffSMTP/9 999 what?\r\n\r\n<html>")
            reset(writer)
        elif manner == "429":
            await say(writer, answer(429, {"errors": []}, {"Retry-After": "0"}))
        elif kept is not None and manner in ("202", "slow", "late"):
            await say(writer, answer(202, None, {"X-Message-Id": kept.id}))
        else:
            await say(writer, answer(int(manner), {"errors": []}))

    def _accept(self, body: Any) -> Accepted:
        envelope = body["personalizations"][0]
        arguments = envelope["custom_args"]
        kept = self.record.accept(
            attempt=arguments["lf_attempt"],
            message=int(arguments["lf_message"]),
            to=envelope["to"][0]["email"],
            subject=body.get("subject") or envelope.get("subject", ""),
            sender=body["from"]["email"],
        )
        self.tally["accepted"] += 1
        self.news.happened(kept)
        return kept

    def _tell(self, head: Head, raw: bytes) -> bytes:
        self.tally["asked"] += 1
        if self.manners.log_down:
            return answer(503)
        if head.method == "GET":
            found = detail(self.record.rows, head.path.rpartition("/")[2], lag=self.manners.lag)
            return answer(404) if found is None else answer(200, found)
        try:
            given = json.loads(raw)
            rows = search(self.record.rows, given.get("query", ""), given.get("limit", 10), lag=self.manners.lag)
        except (ValueError, QueryError):
            self.tally["bad queries"] += 1
            return answer(400)
        return answer(200, {"messages": rows})


async def serve_connection(world: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests of one kept connection until somebody ends it; `world` has the account of the moment and its control."""
    world.tally["connections"] += 1
    try:
        while head := await read_head(reader):
            if head.path == "/control":
                raw = await read_rest(reader, b"", head.length)
                await say(writer, answer(200, world.control(json.loads(raw) if raw else None)))
            elif not await world.sendgrid.serve(reader, writer, head):
                break
    except ConnectionError:
        pass
    finally:
        writer.close()
