"""Which answers are worth another try, when, and what a failed request is called."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import NamedTuple

import requests
import urllib3

from pipeline.core.errors import Reason
from pipeline.http.server_clocks import CertificateTime

LONGEST_WAIT = timedelta(hours=1)
RETRIED = (408, 500, 502, 503, 504, 520, 521, 522, 523, 524)


class Failure(NamedTuple):
    """What is said of a request that brought no answer, and whether another try may help."""

    words: str
    reason: Reason
    passing: bool = True


def retry_after(value: str | None, now: datetime) -> timedelta:
    """Read a Retry-After in seconds or as a date: at least a minute, at most an hour, ten minutes when unreadable."""
    seconds = 600.0
    if value:
        try:
            seconds = float(value)
        except ValueError:
            try:
                moment = parsedate_to_datetime(value)
                seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
            except (TypeError, ValueError, OverflowError):
                seconds = 600.0
    if seconds != seconds:
        seconds = 600.0
    return timedelta(seconds=min(LONGEST_WAIT.total_seconds(), max(60.0, seconds)))


def failure_of(error: BaseException) -> Failure:
    """Return what went wrong in an exception of requests, without addresses of memory or repeated wrappers."""
    if isinstance(error, requests.exceptions.SSLError):
        problem = certificate_time(error)
        words = f"is {problem} at this machine's time" if problem else "cannot be trusted"
        return Failure(f"its certificate {words}", Reason.UNREADABLE, passing=False)
    passing = not isinstance(error, requests.exceptions.InvalidURL | ValueError)
    for cause in islice(_causes(error), 10):
        if isinstance(cause, http.client.IncompleteRead):
            return Failure("the answer was cut short", Reason.UNREADABLE, passing)
        if isinstance(cause, http.client.HTTPException):
            return Failure("not a proper HTTP answer", Reason.UNREADABLE, passing)
        if isinstance(cause, urllib3.exceptions.DecodeError):
            return Failure("its packed answer cannot be unpacked", Reason.UNREADABLE, passing)
        if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
            return Failure("no answer in time", Reason.TIMEOUT, passing)
    if isinstance(error, requests.exceptions.Timeout):
        return Failure("no answer in time", Reason.TIMEOUT, passing)
    if isinstance(error, requests.exceptions.ConnectionError):
        return Failure("cannot be reached", Reason.UNREACHABLE, passing)
    if isinstance(error, ValueError):
        return Failure("no usable address", Reason.UNREACHABLE, passing)
    return Failure(type(error).__name__, Reason.UNREACHABLE, passing)


def certificate_time(error: BaseException) -> CertificateTime | None:
    """Return why a certificate of a trusted issuer was not valid at this machine's time; None for any other failure."""
    problems = {9: CertificateTime.NOT_YET_VALID, 10: CertificateTime.EXPIRED}  # X509_V_ERR_CERT_… of OpenSSL
    for cause in islice(_causes(error), 10):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return problems.get(cause.verify_code)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it wraps, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        nested = next((a for a in cause.args if isinstance(a, BaseException)), None)
        cause = cause.__cause__ or cause.__context__ or nested
