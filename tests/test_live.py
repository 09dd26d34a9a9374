"""The main hour through every real client: the same incidents and mails as the replay and as its own recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands.backtest import plan_replay, replay_scenario
from pipeline.commands.common import Setting
from pipeline.config.load import load_config
from pipeline.core.times import iso, utc
from tests.conftest import SCENARIO
from tests.demo_live import of_day, run_live

BEGIN, UNTIL = utc("2026-03-02T11:20:00Z"), utc("2026-03-02T12:15:00Z")


@pytest.mark.slow
def test_clients_replay_and_recording_tell_the_same_story(tmp_path: Path) -> None:
    live = run_live(SCENARIO, tmp_path / "live", BEGIN, UNTIL, progress=False)
    assert not live.troubles, live.troubles[:3]
    setting = Setting(config=load_config(None, {}), config_path=None, db=tmp_path / "replay.db", now=UNTIL)
    plan = plan_replay(setting, SCENARIO, begin=iso(BEGIN), until=iso(UNTIL))
    replayed, _ = replay_scenario(plan, setting.db, tmp_path / "mail", progress=False)
    incidents, mails = of_day(live.result, BEGIN, UNTIL)
    assert (incidents, mails) == of_day(replayed, BEGIN, UNTIL)
    assert (incidents, mails) == of_day(live.replayed, BEGIN, UNTIL)
    assert [iso(mail.at) for mail in mails] == ["2026-03-02T11:40:00Z", "2026-03-02T11:55:00Z", "2026-03-02T12:10:00Z"]
    assert min(live.requests.values()) >= 12
