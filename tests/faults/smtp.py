"""A mail server that accepts, refuses, greylists, dawdles and breaks off before or after the final dot."""

import asyncio
import base64
from collections import Counter
from email import message_from_bytes
from email.policy import default

from tests.faults.manners import FAULTS, Fault, Manners, Weather
from tests.faults.record import Record
from tests.faults.signals import strike
from tests.faults.wire import half_close, reset, say

#: What a fault's answer is in this language: at the envelope where the mail is refused before its body.
_AT_ENVELOPE = {"400": "550 5.1.1 no", "403": "421 4.3.2 not now", "429": "451 4.7.1 greylisted"}
_AFTER_DOT = {"500": "451 4.3.0 lost it", "503": "451 4.3.0 lost it"}


class MailServer:
    """One account of a mail server; who is logged in names its process, for the blows."""

    def __init__(self, manners: Manners, record: Record, tally: Counter[str]) -> None:
        self.manners = manners
        self.record = record
        self.tally = tally
        self.weather = Weather(manners)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session, from the greeting to its end."""
        session = _Session(self, reader, writer)
        self.tally["connections"] += 1
        await session.say("220 mail.a.example ESMTP")
        try:
            while line := await reader.readline():
                if not await session.obey(line.decode("latin-1").strip()):
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()


class _Session:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._pid = 0
        self._name = "accept"
        self._to = ""

    async def say(self, line: str) -> None:
        await say(self._writer, line.encode() + b"\r\n")

    async def obey(self, line: str) -> bool:
        """Answer one command; False when the session is over."""
        word = line.split(" ")[0].upper()
        if word == "EHLO":
            await say(self._writer, b"250-mail.a.example\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n")
        elif word == "AUTH":
            return await self._log_in(line)
        elif word == "RCPT":
            return await self._take_recipient(line)
        elif word == "DATA":
            await self.say("354 go on")
            return await self._take_mail()
        elif word == "QUIT":
            await self.say("221 bye")
            return False
        else:
            await self.say("250 OK")
        return True

    async def _log_in(self, line: str) -> bool:
        _auth, _plain, packed = line.split(" ", 2)
        user = base64.b64decode(packed).split(b"\0")[1]
        self._pid = int(user) if user.isdigit() else 0
        await self.say("235 welcome")
        return True

    async def _take_recipient(self, line: str) -> bool:
        self._to = line.partition("<")[2].partition(">")[0]
        self._name = "refuse" if self._to.startswith("refused") else self._server.weather.next(self._pid)
        self._server.tally["requests"] += 1
        self._server.tally[self._name] += 1
        said = _AT_ENVELOPE.get(self._fault.answer) if self._fault.at == "" else None
        await self.say(said or "250 OK")
        return said is None or not said.startswith("421")

    @property
    def _fault(self) -> Fault:
        return FAULTS[self._name]

    async def _take_mail(self) -> bool:
        fault, server = self._fault, self._server
        begun = await self._reader.readline()
        if fault.at == "body":
            await strike(fault.signal, self._pid, server.tally)
        content = await self._until_the_dot(begun)
        if content is None:
            server.tally["cut off"] += 1
            return False
        if fault.accepted:
            self._accept(content)
        if fault.at == "decided":
            await strike(fault.signal, self._pid, server.tally)
        await asyncio.sleep({"slow": server.manners.slow, "late": server.manners.late}.get(fault.answer, 0.0))
        ends = await self._answer(fault)
        if fault.at == "answered":
            await strike(fault.signal, self._pid, server.tally)
        return not ends

    async def _until_the_dot(self, begun: bytes) -> bytes | None:
        lines = [begun]
        while (line := await self._reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                return None
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    async def _answer(self, fault: Fault) -> bool:
        """Say how it went; True when that ends the session."""
        if fault.answer == "reset":
            reset(self._writer)
        elif fault.answer == "close":
            await half_close(self._reader, self._writer)
        elif fault.answer == "garbage":
            await self.say("\x00\x01 whatever")
            reset(self._writer)
        else:
            # A server that takes a mail and then says it did not breaks the protocol: that does not happen here.
            code = "250 2.0.0 queued" if fault.accepted else _AFTER_DOT.get(fault.answer, "451 4.3.0 later")
            await self.say(code)
            return False
        return True

    def _accept(self, content: bytes) -> None:
        mail = message_from_bytes(content, policy=default)
        attempt = str(mail["Message-ID"]).strip("<>").rpartition("@")[0]
        message = int(attempt.rpartition("-")[2])
        subject = str(mail["Subject"])
        self._server.record.accept(attempt=attempt, message=message, to=self._to, subject=subject, sender="")
        self._server.tally["accepted"] += 1
