"""One command a file: it reads its options, calls stages, prints, and chooses the exit code.

`COMMAND_GROUPS` maps a heading of `--help` to its commands, `COMMANDS` each command to its module and one line of
help; the function is `<name>_command`.
"""

from __future__ import annotations

Command = tuple[str, str]

COMMAND_GROUPS: dict[str, dict[str, Command]] = {
    "Start": {
        "demo": ("pipeline.commands.demo", "replay 2 March 2026 and print its timeline"),
        "init": ("pipeline.commands.init", "write a configuration, groundswell.toml"),
        "check-config": ("pipeline.commands.check_config", "check the configuration without running"),
        "doctor": ("pipeline.commands.doctor", "test every source and channel, and report problems"),
        "test-alert": ("pipeline.commands.test_alert", "send a test message through every channel"),
        "run": ("pipeline.commands.run", "run all stages once; for cron or a timer"),
        "completion": ("pipeline.commands.completion", "print or install tab completion for your shell"),
    },
    "Incidents and alerts": {
        "status": ("pipeline.commands.status", "show open incidents, silent sources, messages not sent"),
        "incidents": ("pipeline.commands.incidents", "list incidents"),
        "why": ("pipeline.commands.why", "explain why a service did or did not alert"),
        "silence": ("pipeline.commands.silence", "mute a service for a while"),
        "feedback": ("pipeline.commands.feedback", "record whether an alert was right"),
        "ledger": ("pipeline.commands.ledger", "show providers' notice delays and availability"),
        "service": ("pipeline.commands.service", "list services, and the sources that cover them"),
    },
    "Data": {
        "sql": ("pipeline.commands.sql", "run one read-only query"),
        "export": ("pipeline.commands.export", "write all tables as Parquet or CSV"),
        "import": ("pipeline.commands.import_", "import counts, posts, incidents or a recorded day"),
        "backfill": ("pipeline.commands.backfill", "convert archives of any size to Parquet"),
        "record": ("pipeline.commands.record", "write a span of the database as a recorded day"),
        "purge": ("pipeline.commands.purge", "delete posts deleted on Reddit, and old texts"),
        "repair": ("pipeline.commands.repair", "save the readable rows of a damaged database"),
        "parse": ("pipeline.commands.parse", "show how each reader parses a kept answer"),
    },
    "Models and evaluation": {
        "score-counts": ("pipeline.commands.score_counts", "detect spikes in a file of counts; no database"),
        "score-posts": ("pipeline.commands.score_posts", "classify a CSV of posts; no database"),
        "label": ("pipeline.commands.label", "label posts the model is least certain about"),
        "train": ("pipeline.commands.train", "train the text models from data/labels"),
        "backtest": ("pipeline.commands.backtest", "replay a recorded day"),
        "bench": ("pipeline.commands.bench", "compare alerting systems on recorded days"),
        "evaluate": ("pipeline.commands.evaluate", "measure the detectors and the text models"),
    },
    "Single stages of a run": {
        "collect": ("pipeline.commands.stage", "read the sources"),
        "tag": ("pipeline.commands.stage", "classify new posts"),
        "detect": ("pipeline.commands.stage", "run the detector on new counts"),
        "explain": ("pipeline.commands.stage", "update incidents"),
        "alert": ("pipeline.commands.stage", "send due messages"),
        "publish": ("pipeline.commands.stage", "write the report"),
    },
}
COMMANDS: dict[str, Command] = {name: one for group in COMMAND_GROUPS.values() for name, one in group.items()}
