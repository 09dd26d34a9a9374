"""What can be set, by table: mail, alerts and their routes, sources, the detector; secrets. Frozen and validated."""

from __future__ import annotations

import re
from datetime import time, timedelta
from ipaddress import ip_network
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from detectors.count_kinds import CountKind
from pipeline.config.renamed import ALERT_KEYS, ROUTE_KEYS, with_present_names

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> timedelta:
    """Read `30s`, `5min`, `3h` or `14d`; raises ValueError on anything else."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*(\d{1,6})\s*(s|min|h|d)\s*", str(value))
    if not match:
        raise ValueError(f"{value!r} is not a duration; write it as 30s, 5min, 3h or 14d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


_ADDRESS = r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,255}"


def _plain_address(value: tuple[str, ...] | str) -> tuple[str, ...] | str:
    """Return mail addresses alone, of `Ann <ann@example.org>` too; raises ValueError on what is none."""
    addresses = []
    for written in (value,) if isinstance(value, str) else value:
        match = re.fullmatch(rf"\s*(?:({_ADDRESS})|[^<>@,;\r\n]{{0,100}}<({_ADDRESS})>)\s*", written)
        if match is None:
            raise ValueError(f"{written[:80]!r} is not a mail address such as me@example.org")
        addresses.append(match[1] or match[2])
    return addresses[0] if isinstance(value, str) else tuple(addresses)


class TimeInterval(NamedTuple):
    """A span of the wall clock of a zone, over midnight where it does not begin before it ends."""

    begin: time
    end: time
    zone: ZoneInfo


def parse_time_interval(value: str) -> TimeInterval:
    """Read `22:00-07:00 Europe/Berlin`; raises ValueError on anything else."""
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S{1,60})", value)
    if match is None:
        raise ValueError(f"{value!r} is not a span of hours; write it as 22:00-07:00 Europe/Berlin")
    try:
        zone = ZoneInfo(match[5])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{match[5]!r} is not a time zone; write it as Europe/Berlin or UTC") from error
    return TimeInterval(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])), zone)


class Mail(Strict):
    """Where alert mails go and by which server. The password comes from GROUNDSWELL_SMTP_PASSWORD."""

    to: tuple[str, ...] = ()
    sender: str = "groundswell@localhost"
    host: str = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    timeout: Duration = timedelta(seconds=20)

    _addresses = field_validator("to", "sender")(_plain_address)

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*|[0-9a-fA-F:.]+", value):
            raise ValueError(f"{value[:80]!r} is not the name or address of a server")
        return value

    @field_validator("timeout")
    @classmethod
    def _at_least(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=5):
            raise ValueError("must lie between 1s and 5min")
        return value


ChannelName = Literal["file", "email", "webhook", "apprise", "alertmanager", "pagerduty"]
StateName = Literal["possible", "likely", "confirmed"]
ImpactName = Literal["none", "low", "moderate", "high", "critical"]


class Route(Strict):
    """Which incidents go where: they fit every key that is set. Empty: any service, part, place; the usual channels."""

    name: str = Field(pattern=r"^[a-z0-9_-]{1,40}$")
    channels: tuple[ChannelName, ...] = ()
    to: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    from_state: StateName | None = None  # None: alerts.from_state
    from_impact: ImpactName = "none"
    mute_time_intervals: tuple[str, ...] = ()
    quiet_except: ImpactName = "critical"

    _addresses = field_validator("to")(_plain_address)

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, table: object) -> object:
        return with_present_names(table, ROUTE_KEYS)

    @field_validator("mute_time_intervals")
    @classmethod
    def _intervals(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for interval in value:
            parse_time_interval(interval)
        return value


class Alerts(Strict):
    """When to notify and where to, in Alertmanager's words.

    The first message of an incident waits `group_wait` for others. The next waits `group_interval`, which doubles with
    each message up to `max_group_interval`. `repeat_interval` is how often a reminder is sent; 0: never.
    An incident is over after `quiet_to_close` without a sign of it; `quiet_to_close_after_relapse` (not shorter;
    unset, at least as long) where the service failed more than once in a day. A message about an incident of a
    probability below `sure_from` says what would make it surer. Reports quoted in the reader's `language` come before
    others, which stay as they were written. `pagerduty_base` is the address of PagerDuty's events API in the
    account's region. `surge_advisories` sends what the surge watch raises to webhooks: off, since its record is below
    the floor (docs/benchmark.md).
    """

    channels: tuple[ChannelName, ...] = ("file",)
    folder: str = "mail"
    from_state: StateName = "possible"
    group_wait: Duration = timedelta(0)
    group_interval: Duration = timedelta(minutes=15)
    max_group_interval: Duration = timedelta(hours=4)
    repeat_interval: Duration = timedelta(0)
    quiet_to_close: Duration = timedelta(minutes=30)
    quiet_to_close_after_relapse: Duration = timedelta(minutes=150)
    sure_from: float = Field(default=0.5, ge=0, lt=1)
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    max_per_hour: int = Field(default=20, ge=1)
    pagerduty_base: str = "https://events.pagerduty.com"
    surge_advisories: bool = False
    digest: Literal["off", "daily", "weekly"] = "off"
    digest_at: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    routes: tuple[Route, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, table: object) -> object:
        return with_present_names(table, ALERT_KEYS)

    @field_validator("quiet_to_close", "quiet_to_close_after_relapse", mode="before")
    @classmethod
    def _quiet_time(cls, value: object) -> timedelta:
        quiet = timedelta(0) if str(value).strip() == "0" else parse_duration(value)
        if not timedelta(0) < quiet <= timedelta(days=1):
            raise ValueError(f"{value!r} must be positive and at most a day, such as 30min")
        return quiet

    @model_validator(mode="after")
    def _longer_after_a_relapse(self) -> Alerts:
        written = "quiet_to_close_after_relapse" in self.model_fields_set
        if written and self.quiet_to_close_after_relapse < self.quiet_to_close:
            raise ValueError("quiet_to_close_after_relapse must not be shorter than quiet_to_close")
        return self

    @field_validator("routes")
    @classmethod
    def _names_once(cls, value: tuple[Route, ...]) -> tuple[Route, ...]:
        names = [route.name for route in value]
        if len(set(names)) < len(names):
            raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} names two routes")
        return value


class Sources(Strict):
    """Which sources the scheduled run reads. Empty lists and false switch a kind off.

    The bases are for mirrors and local stand-ins; under `statuspage_base` each page lies by its service's id.
    """

    statuspage: bool = True
    hacker_news: bool = True
    downstatus: bool = True
    downdetector: bool = True
    downdetector_countries: tuple[str, ...] = ()
    reddit: bool = True
    communities: tuple[str, ...] = ()
    bluesky: bool = True
    news_desks: bool = True
    google_news: bool = True
    feeds: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    counts_kind: dict[str, CountKind] = Field(default_factory=dict)
    charts: tuple[str, ...] = ()
    mastodon: tuple[str, ...] = ()
    mastodon_tags: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    contact: str = Field(default="", pattern=r"^[\x21-\x27\x2a-\x7e]{0,200}$")
    deadline: Duration = timedelta(seconds=30)
    statuspage_base: str = ""
    google_news_base: str = "https://news.google.com"
    hacker_news_base: str = "https://hn.algolia.com"
    downstatus_base: str = "https://isitdownstatus.com"
    downdetector_base: str = "https://downdetectorapi.com/v2"
    reddit_base: str = ""
    bluesky_base: str = "https://bsky.social"
    charts_base: str = "https://rss.marketingtools.apple.com"
    charts_legacy_base: str = "https://itunes.apple.com"

    @field_validator("deadline")
    @classmethod
    def _at_least(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=10):
            raise ValueError("must lie between 1s and 10min")
        return value

    @field_validator("feeds", "mastodon")
    @classmethod
    def _web_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            try:
                parts = urlsplit(url)
            except ValueError:
                parts = urlsplit("")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is not an address such as https://example.org/feed.xml")
        return value

    @field_validator("charts")
    @classmethod
    def _countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for where in value:
            if not re.fullmatch(r"[a-z]{2}(:\d{1,6})?", where):
                raise ValueError(f"{where!r} is not a country as us, or country and genre as us:6007")
        return value

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            try:
                ip_network(entry)
            except ValueError:
                if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", entry):
                    raise ValueError(f"{entry!r} is neither a host nor a network such as 10.1.0.0/16") from None
        return value


class Report(Strict):
    """Where the report is written and where readers find it; `report = "folder"` alone sets the folder.

    `public_url` is the address under which the folder is served: messages and feeds link there; empty: nowhere.
    `metrics` is a file for Prometheus' textfile collector; empty: none is written.
    """

    folder: str = "report"
    public_url: str = ""
    metrics: str = ""

    @model_validator(mode="before")
    @classmethod
    def _folder_alone(cls, value: object) -> object:
        return {"folder": value} if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[A-Za-z0-9._\[\]:-]+(/[A-Za-z0-9._~/-]*)?", value):
            raise ValueError(f"{value[:80]!r} is not an address such as https://status.example.org/groundswell")
        return value.rstrip("/")

    @field_validator("metrics")
    @classmethod
    def _textfile(cls, value: str) -> str:
        if value and not value.endswith(".prom"):
            raise ValueError(f"{value[:80]!r}: the textfile collector reads files that end in .prom only")
        return value


class DetectorChoice(Strict):
    """Which detector judges the series, and its parameters."""

    name: str = "seasonal_nb"
    params: dict[str, float | int | str] = {}


class Keep(Strict):
    """How long what may grow without end is kept; the first run of a day (UTC) takes away what is older.

    words: of posts and who wrote them (that they were counted stays); none: for good. runs: the log of what was done.
    refused: rows that could not be read. counts: each count by itself, before it is rolled up by hour; none: for good.
    """

    words: Duration | None = None
    runs: Duration = timedelta(days=90)
    refused: Duration = timedelta(days=30)
    counts: Duration | None = None

    @field_validator("words", "runs", "refused")
    @classmethod
    def _not_too_short(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < timedelta(days=7):
            raise ValueError("at least 7d: a week is what digests and late counts look back")
        return value

    @field_validator("counts")
    @classmethod
    def _longer_than_is_learned_from(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < timedelta(days=90):
            raise ValueError("at least 90d: detectors learn from 60 days of counts, links from 90")
        return value


class Secrets(Strict):
    """Credentials, from the environment only."""

    smtp_password: SecretStr | None = None
    reddit_client_id: SecretStr | None = None
    reddit_client_secret: SecretStr | None = None
    downdetector_client_id: SecretStr | None = None
    downdetector_client_secret: SecretStr | None = None
    bluesky_identifier: SecretStr | None = None
    bluesky_password: SecretStr | None = None
    author_salt: SecretStr | None = None
    webhook_url: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    apprise_urls: SecretStr | None = None
    alertmanager_url: SecretStr | None = None
    pagerduty_routing_key: SecretStr | None = None
    heartbeat_url: SecretStr | None = None

    def values(self) -> list[str]:
        """Return every credential that is set, in the clear."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        return [field.get_secret_value() for field in fields if isinstance(field, SecretStr)]
