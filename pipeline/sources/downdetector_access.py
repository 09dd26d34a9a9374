"""How Downdetector is entered: a token for a key, asked for once in a run, and the company a slug stands for."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from urllib.parse import urlencode

from pipeline.core.errors import Reason, SourceError
from pipeline.http.session import SourceSession
from pipeline.sources.parsing import plain, read_json, text_field


class Token:
    """The bearer token all of this upstream's sources share in a run. It is never stored."""

    def __init__(self, base: str, client_id: str, client_secret: str) -> None:
        """The secret is used for one request and shown nowhere."""
        self.base = base.rstrip("/")
        self._basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._lock, self._token, self._refused = threading.Lock(), "", ""

    def header(self, session: SourceSession, source: str) -> dict[str, str]:
        """Return the header to ask with; raises SourceError."""
        with self._lock:
            if self._refused:
                raise SourceError(self._refused, source=source, reason=Reason.KEY)
            if not self._token:
                # one refusal is enough for all of a run's sources
                self._refused = "its key was not accepted, or could not be tried, in this run"
                answer = session.post(
                    f"{self.base}/tokens",
                    data={"grant_type": "client_credentials"},
                    headers={"Authorization": f"Basic {self._basic}"},
                )
                token = text_field(read_json(answer.body or b"", source), "access_token")
                if token is None or not token.isascii() or not token.isprintable():
                    raise SourceError("no access_token in the answer to the key", source=source, reason=Reason.KEY)
                self._token, self._refused = token, ""
            return {"Authorization": f"Bearer {self._token}"}


def find_company(session: SourceSession, headers: Mapping[str, str], base: str, slug: str, source: str) -> str:
    """Return the id of the company a slug stands for; raises SourceError, also where there is none."""
    query = urlencode({"slug": slug, "fields": "id,name,slug,country_iso"})
    found = read_json(session.fetch(f"{base}/companies/search?{query}", headers=headers).body or b"", source)
    for company in found if isinstance(found, list) else []:
        if isinstance(company, dict) and company.get("slug") == slug and company.get("id") is not None:
            return plain(company["id"], 20)
    raise SourceError(f"Downdetector knows no company {slug!r}; set services.<id>.downdetector", source=source)
