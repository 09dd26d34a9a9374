"""The readers of status pages that are feeds, in the order in which they are asked; the general one is last."""

from __future__ import annotations

from pipeline.sources.status.aws_rss import AWS_FEED
from pipeline.sources.status.azure_rss import AZURE_FEED
from pipeline.sources.status.better_stack_rss import BETTER_STACK_FEED
from pipeline.sources.status.generic_feed import GENERIC_FEED
from pipeline.sources.status.google_atom import GOOGLE_FEED
from pipeline.sources.status.incident_io_atom import INCIDENT_IO_FEED
from pipeline.sources.status.instatus_atom import INSTATUS_FEED
from pipeline.sources.status.microsoft_365_rss import MICROSOFT_365_FEED
from pipeline.sources.status.reader import Reader
from pipeline.sources.status.rootly_rss import ROOTLY_FEED
from pipeline.sources.status.slack_atom import SLACK_FEED
from pipeline.sources.status.status_io_rss import STATUS_IO_FEED
from pipeline.sources.status.statuspage_atom import STATUSPAGE_FEED
from pipeline.sources.status.xai_rss import XAI_FEED

FEED_READERS: tuple[Reader, ...] = (
    SLACK_FEED,
    GOOGLE_FEED,
    AWS_FEED,
    AZURE_FEED,
    MICROSOFT_365_FEED,
    INCIDENT_IO_FEED,
    ROOTLY_FEED,
    XAI_FEED,
    STATUS_IO_FEED,
    INSTATUS_FEED,
    STATUSPAGE_FEED,
    BETTER_STACK_FEED,
    GENERIC_FEED,
)
