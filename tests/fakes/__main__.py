"""`python -m tests.fakes KIND [--port N] [--scenario DIR] [--now TIME]`: one stand-in, until it is stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.core.times import utc
from tests.fakes.base import Fake
from tests.fakes.complaints import Downdetector, DownStatus
from tests.fakes.publishers import Charts, Feeds, GoogleNews
from tests.fakes.recording import Recording
from tests.fakes.reddit import Reddit
from tests.fakes.social import Bluesky, HackerNews, Mastodon
from tests.fakes.status_feeds import StatusFeeds
from tests.fakes.statuspage import Statuspage

KINDS: dict[str, type[Fake]] = {
    "reddit": Reddit,
    "statuspage": Statuspage,
    "status_feeds": StatusFeeds,
    "downdetector": Downdetector,
    "downstatus": DownStatus,
    "hacker_news": HackerNews,
    "mastodon": Mastodon,
    "bluesky": Bluesky,
    "feeds": Feeds,
    "google_news": GoogleNews,
    "charts": Charts,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--now", help="what its clock says at first; default: the recording's beginning")
    options = parser.parse_args()
    fake = KINDS[options.kind](Recording(options.scenario), port=options.port)
    fake.now = utc(options.now) if options.now else fake.now
    print(f"{options.kind} on {fake.url}, its clock at {fake.now:%Y-%m-%dT%H:%M:%SZ}; Ctrl-C stops it", flush=True)
    try:
        fake.serve_forever()
    except KeyboardInterrupt:
        fake.server_close()


if __name__ == "__main__":
    main()
