"""One command a file: it reads its options, calls stages, prints, and chooses the exit code.

`COMMANDS` maps a name to its module and one line of help; the function is `<name>_command`.
"""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("pipeline.commands.init", "write groundswell.toml"),
    "doctor": ("pipeline.commands.doctor", "try every source and channel, and say what is wrong"),
    "check-config": ("pipeline.commands.check_config", "check the configuration without running"),
    "run": ("pipeline.commands.run", "run all stages once: what cron calls"),
    "collect": ("pipeline.commands.stage", "only collect from the sources"),
    "tag": ("pipeline.commands.stage", "only classify new posts"),
    "detect": ("pipeline.commands.stage", "only judge new counts"),
    "explain": ("pipeline.commands.stage", "only update incidents"),
    "alert": ("pipeline.commands.stage", "only send what is due"),
    "publish": ("pipeline.commands.stage", "only write the report"),
    "service": ("pipeline.commands.service", "list services; show which sources cover one"),
    "status": ("pipeline.commands.status", "open incidents, silent sources, messages not sent"),
    "ledger": ("pipeline.commands.ledger", "providers' notice delays and availability"),
    "incidents": ("pipeline.commands.incidents", "list incidents"),
    "why": ("pipeline.commands.why", "why a service alerted, or why it did not"),
    "silence": ("pipeline.commands.silence", "mute a service for a while"),
    "feedback": ("pipeline.commands.feedback", "record whether an alert was right"),
    "sql": ("pipeline.commands.sql", "run one SELECT, read-only"),
    "import": ("pipeline.commands.import_", "import counts, posts, incidents or a recorded day"),
    "parse": ("pipeline.commands.parse", "show how each reader parses a raw answer that was kept"),
    "backfill": ("pipeline.commands.backfill", "convert archives of any size to Parquet, here or on Dask"),
    "export": ("pipeline.commands.export", "write every table as Parquet"),
    "record": ("pipeline.commands.record", "write a span of the database as a recorded day"),
    "repair": ("pipeline.commands.repair", "write what is readable of a damaged database into a new one"),
    "purge": ("pipeline.commands.purge", "honour deletions on Reddit, forget old texts"),
    "test-alert": ("pipeline.commands.test_alert", "send a marked test message through every channel"),
    "backtest": ("pipeline.commands.backtest", "replay a recorded day"),
    "bench": ("pipeline.commands.bench", "score systems on recorded days by one scorer"),
    "demo": ("pipeline.commands.demo", "replay 2 March 2026 and print its timeline"),
    "score-posts": ("pipeline.commands.score_posts", "classify a CSV of posts, without a database"),
    "score-counts": ("pipeline.commands.score_counts", "judge a CSV of counts, without a database"),
    "evaluate": ("pipeline.commands.evaluate", "measure how good the detectors are"),
    "label": ("pipeline.commands.label", "label the posts the model is least sure of"),
    "completion": ("pipeline.commands.completion", "print or install tab completion for your shell"),
    "train": ("pipeline.commands.train", "rebuild the text models from data/labels"),
}
