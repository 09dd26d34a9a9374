"""What can be set, by table: mail, alerts and their routes, sources, the detector; secrets.

`pipeline.config.validation` makes them of what a file says; what is made by a call is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from detectors.count_kinds import CountKind
from pipeline.config.constraints import After, Around, Before, Limits
from pipeline.config.renamed import ALERT_KEYS, ROUTE_KEYS, with_present_names
from pipeline.config.setting_values import (
    Address,
    Addresses,
    BaseAddress,
    ChannelName,
    ClockTime,
    Communities,
    Contact,
    Countries,
    CountryCodes,
    Deadline,
    GroupInterval,
    GroupWait,
    Hashtags,
    Hosts,
    ImpactName,
    Kept,
    KeptCounts,
    LanguageCode,
    MailServer,
    MailTimeout,
    OptionalBase,
    Parameter,
    PublicUrl,
    QuietTime,
    RepeatInterval,
    RouteName,
    StateName,
    Textfile,
    TimeIntervals,
    TimeZoneName,
    WebAddresses,
)
from pipeline.core.catalogue import Service
from pipeline.core.secret import SecretStr

STRICT = {"extra": "forbid"}  # an unknown key is an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Where alert mails go and by which server. The password comes from GROUNDSWELL_SMTP_PASSWORD."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    to: Addresses = ()
    sender: Address = "groundswell@localhost"
    host: MailServer = "localhost"
    port: Annotated[int, Limits(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    timeout: MailTimeout = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which incidents go where: they fit every key that is set. Empty: any service, part, place; the usual channels."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    name: RouteName
    channels: tuple[ChannelName, ...] = ()
    to: Addresses = ()
    services: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    from_state: StateName | None = None  # None: alerts.from_state
    from_impact: ImpactName = "none"
    mute_time_intervals: TimeIntervals = ()
    quiet_except: ImpactName = "critical"


def _present_route(table: object) -> object:
    return with_present_names(table, ROUTE_KEYS)


def _names_once(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    names = [route.name for route in routes]
    if len(set(names)) < len(names):
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} names two routes")
    return routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
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

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    channels: tuple[ChannelName, ...] = ("file",)
    folder: str = "mail"
    from_state: StateName = "possible"
    group_wait: GroupWait = timedelta(0)
    group_interval: GroupInterval = timedelta(minutes=15)
    max_group_interval: GroupInterval = timedelta(hours=4)
    repeat_interval: RepeatInterval = timedelta(0)
    quiet_to_close: QuietTime = timedelta(minutes=30)
    quiet_to_close_after_relapse: QuietTime = timedelta(minutes=150)
    sure_from: Annotated[float, Limits(ge=0, lt=1)] = 0.5
    language: LanguageCode = "en"
    max_per_hour: Annotated[int, Limits(ge=1)] = 20
    pagerduty_base: BaseAddress = "https://events.pagerduty.com"
    surge_advisories: bool = False
    digest: Literal["off", "daily", "weekly"] = "off"
    digest_at: ClockTime = "08:00"
    routes: Annotated[tuple[Annotated[Route, Before(_present_route)], ...], After(_names_once)] = ()


def _alerts(table: object, validate: Callable[[object], Alerts]) -> Alerts:
    """Validate the table of alerts, with former names; raises ValueError on times that contradict each other."""
    present = with_present_names(table, ALERT_KEYS)
    alerts = validate(present)
    written = present if isinstance(present, Mapping) else {}
    if "quiet_to_close_after_relapse" in written and alerts.quiet_to_close_after_relapse < alerts.quiet_to_close:
        raise ValueError("quiet_to_close_after_relapse must not be shorter than quiet_to_close")
    if alerts.group_interval > alerts.max_group_interval:
        default = "" if "max_group_interval" in written else ", which is 4h unless it is set"
        raise ValueError(f"group_interval must not be longer than max_group_interval{default}")
    return alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Which sources the scheduled run reads. Empty lists and false switch a kind off.

    The bases are for mirrors and local stand-ins; under `statuspage_base` each page lies by its service's id.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    statuspage: bool = True
    hacker_news: bool = True
    downstatus: bool = True
    downdetector: bool = True
    downdetector_countries: CountryCodes = ()
    reddit: bool = True
    communities: Communities = ()
    bluesky: bool = True
    news_desks: bool = True
    google_news: bool = True
    feeds: WebAddresses = ()
    counts: tuple[str, ...] = ()
    counts_kind: dict[str, CountKind] = field(default_factory=dict)
    charts: Countries = ()
    mastodon: WebAddresses = ()
    mastodon_tags: Hashtags = ()
    allow_hosts: Hosts = ()
    contact: Contact = ""
    deadline: Deadline = timedelta(seconds=30)
    statuspage_base: OptionalBase = ""
    google_news_base: BaseAddress = "https://news.google.com"
    hacker_news_base: BaseAddress = "https://hn.algolia.com"
    downstatus_base: BaseAddress = "https://isitdownstatus.com"
    downdetector_base: BaseAddress = "https://downdetectorapi.com/v2"
    reddit_base: OptionalBase = ""
    bluesky_base: BaseAddress = "https://bsky.social"
    charts_base: BaseAddress = "https://rss.marketingtools.apple.com"
    charts_legacy_base: BaseAddress = "https://itunes.apple.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Where the report is written and where readers find it; `report = "folder"` alone sets the folder.

    `public_url` is the address under which the folder is served: messages and feeds link there; empty: nowhere.
    `metrics` is a file for Prometheus' textfile collector; empty: none is written. Relative paths of `folder` and
    `metrics` start at the folder of the configuration.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    folder: str = "report"
    public_url: PublicUrl = ""
    metrics: Textfile = ""


def _folder_alone(value: object) -> object:
    return {"folder": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorChoice:
    """Which detector judges the series, and its parameters."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    name: str = "seasonal_nb"
    params: dict[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long what may grow without end is kept; the first run of a day (UTC) takes away what is older.

    words: of posts and who wrote them (that they were counted stays); none: for good. runs: the log of what was done.
    refused: rows that could not be read. counts: each count by itself, before it is rolled up by hour; none: for good.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    words: Kept | None = None
    runs: Kept = timedelta(days=90)
    refused: Kept = timedelta(days=30)
    counts: KeptCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Credentials, from the environment only."""

    __pydantic_config__: ClassVar[dict[str, object]] = {**STRICT, "arbitrary_types_allowed": True}

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

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the name of every credential."""
        return tuple(credential.name for credential in fields(cls))

    def values(self) -> list[str]:
        """Return every credential that is set, in the clear."""
        found = (getattr(self, name) for name in self.names())
        return [credential.get_secret_value() for credential in found if isinstance(credential, SecretStr)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a run needs to know that is not in the database."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    watch: tuple[str, ...] = ()
    display_timezone: TimeZoneName = "UTC"
    mail: Mail = Mail()
    alerts: Annotated[Alerts, Around(_alerts)] = Alerts()
    sources: Sources = Sources()
    detector: DetectorChoice = DetectorChoice()
    keep: Keep = Keep()
    secrets: Secrets = Secrets()
    report: Annotated[Report, Before(_folder_alone)] = Report()
    catalogue: dict[str, Service] = field(default_factory=dict)

    @property
    def watched(self) -> tuple[str, ...]:
        """Services that may alert: the configured ones, or the whole catalogue when none is named."""
        return self.watch or tuple(sorted(self.catalogue))
