"""One command a file: it reads its options, calls stages, prints, and chooses the exit code.

`COMMANDS` maps a name to its module and one line of help; the function is `<name>_command`.
"""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("pipeline.commands.init", "write groundswell.toml"),
    "doctor": ("pipeline.commands.doctor", "ask every source for real and say what is wrong"),
    "check-config": ("pipeline.commands.check_config", "say whether the configuration is right, without running"),
    "run": ("pipeline.commands.run", "all stages once: what cron calls"),
    "collect": ("pipeline.commands.stage", "only read the sources"),
    "tag": ("pipeline.commands.stage", "only read new posts"),
    "detect": ("pipeline.commands.stage", "only judge new counts"),
    "explain": ("pipeline.commands.stage", "only bring incidents up to date"),
    "alert": ("pipeline.commands.stage", "only send what is due"),
    "publish": ("pipeline.commands.stage", "only write the report"),
    "service": ("pipeline.commands.service", "what is known of a service, and which sources cover it"),
    "status": ("pipeline.commands.status", "what is open, which sources are silent"),
    "ledger": ("pipeline.commands.ledger", "how soon providers own up, how long they are down"),
    "incidents": ("pipeline.commands.incidents", "list incidents"),
    "why": ("pipeline.commands.why", "why a service alerted, or why it did not"),
    "silence": ("pipeline.commands.silence", "keep quiet about a service for a while"),
    "feedback": ("pipeline.commands.feedback", "say whether an alert was right"),
    "sql": ("pipeline.commands.sql", "run one SELECT, read-only"),
    "import": ("pipeline.commands.import_", "bring in counts, posts, incidents or a recorded day"),
    "parse": ("pipeline.commands.parse", "what each reader makes of a raw answer that was kept"),
    "backfill": ("pipeline.commands.backfill", "archives of any size to Parquet, here or on Dask"),
    "export": ("pipeline.commands.export", "write every table as Parquet"),
    "record": ("pipeline.commands.record", "write a span of the database as a recorded day"),
    "repair": ("pipeline.commands.repair", "write what is readable of a damaged database into a new one"),
    "purge": ("pipeline.commands.purge", "honour deletions, forget old words"),
    "test-alert": ("pipeline.commands.test_alert", "send a marked test message through every channel"),
    "backtest": ("pipeline.commands.backtest", "replay a recorded day"),
    "bench": ("pipeline.commands.bench", "score systems on recorded days by one scorer"),
    "demo": ("pipeline.commands.demo", "replay 2 March 2026 and tell its story"),
    "score-posts": ("pipeline.commands.score_posts", "read a CSV of posts, without a database"),
    "score-counts": ("pipeline.commands.score_counts", "judge a CSV of counts, without a database"),
    "evaluate": ("pipeline.commands.evaluate", "how good the detectors are, with figures"),
    "label": ("pipeline.commands.label", "say of the posts the model is least sure of what they are"),
    "train": ("pipeline.commands.train", "rebuild the text models from data/labels"),
}
