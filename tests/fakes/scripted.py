"""A host that answers what it is given: a body, status and headers by path; anything else is not found."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fakes.base import Fake, Reply, Request
from tests.fakes.recording import Recording

NOT_FOUND = Reply(b"<!doctype html><html><title>Not found</title></html>", 404, {"Content-Type": "text/html"})


class Scripted(Fake):
    """`answers` may be changed between requests; `elsewhere` answers every path that is not among them."""

    conditional = True

    def __init__(self, answers: Mapping[str, Reply | bytes] | None = None, elsewhere: Reply = NOT_FOUND) -> None:
        super().__init__(Recording())
        self.answers, self.elsewhere = dict(answers or {}), elsewhere

    def reply(self, request: Request) -> Reply:
        answer = self.answers.get(request.path, self.elsewhere)
        return answer if isinstance(answer, Reply) else Reply(answer)

    @property
    def paths(self) -> list[str]:
        """The paths asked so far."""
        return [request.path for request in self.requests]
