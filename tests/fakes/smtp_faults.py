"""A mail server in its own process that fails once, as configured; it acknowledges a mail when it is on disk.

python -m tests.fakes.smtp_faults PORT_FILE LOG CERT KEY STAGE KIND
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

STAGES = ("connect", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "dot")
KINDS = ("4xx", "5xx", "close", "stall")


class Keeper:
    """Writes each accepted message's id to the log, synced, before it answers."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.fault: Any = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        line = next(
            row for row in envelope.content.decode("utf-8", "replace").splitlines() if row.startswith("Message-ID:")
        )
        if self.fault.stage == "dot" and self.fault.kind in ("4xx", "5xx") and self.fault.take("dot"):
            return "451 later" if self.fault.kind == "4xx" else "554 never"
        with self.log.open("a") as file:
            file.write(line.split(":", 1)[1].strip() + "\n")
            file.flush()
            os.fsync(file.fileno())
        if self.fault.take("dot"):
            if self.fault.kind == "stall":
                await asyncio.sleep(30)
            server.transport.abort()
        return "250 OK"


class Fault:
    """Happens once."""

    def __init__(self, stage: str, kind: str) -> None:
        self.stage, self.kind, self.left = stage, kind, 1

    def take(self, stage: str) -> bool:
        if stage != self.stage or not self.left:
            return False
        self.left -= 1
        return True


class Failing(SMTP):
    """Fails at one stage of one session."""

    fault: Fault

    async def _now(self, stage: str) -> bool:
        if not self.fault.take(stage):
            return False
        if self.fault.kind == "stall":
            await asyncio.sleep(30)
        if self.fault.kind in ("4xx", "5xx"):
            code = {"connect": ("421", "554"), "AUTH": ("454", "535")}.get(stage, ("451", "554"))
            await self.push(f"{code[self.fault.kind == '5xx']} not now")
            if stage != "connect":
                return True
        self.transport.abort()
        return True

    async def _handle_client(self) -> None:
        if not await self._now("connect"):
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._now("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:
        if not await self._now("STARTTLS"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self._now("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._now("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._now("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._now("DATA"):
            await super().smtp_DATA(arg)


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"right")


async def serve(port_file: Path, log: Path, cert: str, key: str, stage: str, kind: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    keeper, fault = Keeper(log), Fault(stage, kind)
    keeper.fault = fault

    def session() -> Failing:
        one = Failing(
            keeper,
            hostname="127.0.0.1",
            tls_context=context,
            authenticator=authenticate,
            auth_required=True,
            require_starttls=True,
        )
        one.fault = fault
        return one

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    port_file.write_text(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:7]))
