"""The readers of status pages that answer JSON in a form of their own."""

from __future__ import annotations

from pipeline.sources.status.apple import APPLE
from pipeline.sources.status.aws import AWS
from pipeline.sources.status.better_stack import BETTER_STACK
from pipeline.sources.status.cachet import CACHET
from pipeline.sources.status.datadog_page import DATADOG_PAGE
from pipeline.sources.status.flashduty import FLASHDUTY
from pipeline.sources.status.google import GOOGLE
from pipeline.sources.status.heroku import HEROKU
from pipeline.sources.status.instatus import INSTATUS
from pipeline.sources.status.microsoft_posts import MICROSOFT
from pipeline.sources.status.paypal import PAYPAL
from pipeline.sources.status.playstation import PLAYSTATION
from pipeline.sources.status.reader import Reader
from pipeline.sources.status.riot import RIOT
from pipeline.sources.status.salesforce import SALESFORCE
from pipeline.sources.status.slack_api import SLACK
from pipeline.sources.status.status_io import STATUS_IO
from pipeline.sources.status.uptimerobot import UPTIMEROBOT
from pipeline.sources.status.xbox import XBOX

API_READERS: tuple[Reader, ...] = (
    GOOGLE,
    AWS,
    SLACK,
    HEROKU,
    SALESFORCE,
    APPLE,
    PAYPAL,
    PLAYSTATION,
    BETTER_STACK,
    STATUS_IO,
    UPTIMEROBOT,
    INSTATUS,
    CACHET,
    XBOX,
    MICROSOFT,
    RIOT,
    DATADOG_PAGE,
    FLASHDUTY,
)
