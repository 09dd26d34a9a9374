"""The adapter that makes requests open its connections by a session, which checks addresses and counts them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Connect = Callable[[str, int], socket.socket]
"""Opens a connection to a host and port."""


class _PlainConnection(HTTPConnection):
    """An HTTP connection whose socket is opened by the session."""

    def __init__(self, *args: Any, connect: Connect, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connect = connect

    def _new_conn(self) -> socket.socket:
        return self._connect(self.host, self.port)


class _SecureConnection(_PlainConnection, HTTPSConnection):
    """An HTTPS connection whose socket is opened by the session."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class SessionAdapter(HTTPAdapter):
    """An adapter without retries of its own whose connections are opened by the session."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        # a pool hands what it does not know itself on to its connections
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, connect=self._connect),
            "https": partial(_SecurePool, connect=self._connect),
        }
