"""A mail server in its own process that writes the Message-ID of each mail to the disk before it answers."""

from __future__ import annotations

import os
import sys
import time
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class Notes:
    """Takes every mail."""

    def __init__(self, log: Path) -> None:
        self.log = log

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        with self.log.open("a") as file:
            file.write(f"{message_from_bytes(envelope.content)['Message-ID']}\n")
            file.flush()
            os.fsync(file.fileno())
        return "250 taken"


if __name__ == "__main__":
    controller = Controller(Notes(Path(sys.argv[1])), hostname="127.0.0.1", port=int(sys.argv[2]))
    controller.start()
    Path(sys.argv[1]).touch()
    while os.getppid() != 1:
        time.sleep(0.5)
