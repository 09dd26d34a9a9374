"""Open alerts sent again, for receivers that forget what they are not sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.store import Store
from pipeline.store.outbox import open_alerts


@runtime_checkable
class RepeatingChannel(Protocol):
    """A channel whose receiver forgets open alerts, at a restart or after some time."""

    def repeat(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Send what lasts once more. Raises ChannelError."""
        ...


def repeat_open_alerts(store: Store, channels: Mapping[str, object], now: datetime) -> list[str]:
    """Send the newest message of each incident that lasts again where that is needed; return what failed, in words."""
    problems = []
    for name, channel in channels.items():
        if not isinstance(channel, RepeatingChannel):
            continue
        lasting = open_alerts(store, name)
        try:
            if lasting:
                channel.repeat(lasting, now)
        except ChannelError as error:
            problems.append(f"{name}: open alerts could not be sent again: {error}")
        except Exception as error:  # noqa: BLE001 - a bug of one channel must not end the run for all others
            # its own words may hold a credential
            problems.append(
                f"{name}: {type(error).__name__} while open alerts were sent again: a bug, please report it"
            )
    return problems
