"""Write the table of docs/speed.md from the results of pytest-benchmark.

    python -m tests.benchmarks.table out/bench.json bench

The second argument names the place on the page. The hardware limit is the time that the bytes take at memory
bandwidth and the syncs at the speed of the disk.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "speed.md"


def main() -> None:
    """Rewrite the page."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    groups: dict[str, list[dict[str, object]]] = {}
    for one in results["benchmarks"]:
        groups.setdefault(one["group"], []).append({**one["extra_info"], "seconds": one["stats"]["median"]})
    limits = {str(way["limit"]): way for ways in groups.values() for way in ways if "limit" in way}
    bandwidth = float(str(limits["bandwidth"]["moved"])) / float(str(limits["bandwidth"]["seconds"]))
    fsync = float(str(limits["fsync"]["seconds"]))
    lines = ["| job | way | median | ratio | hardware limit |", "| --- | --- | --- | --- | --- |"]
    for group, ways in groups.items():
        base = next(float(str(w["seconds"])) for w in ways if w["way"] == w["of"])
        for way in ways:
            seconds = float(str(way["seconds"]))
            rate = f", {int(str(way['rows'])) / seconds:,.0f} rows a second" if "rows" in way else ""
            rate += f", {way['bytes']} bytes a row" if "bytes" in way else ""
            rate += f", {way['note']}" if "note" in way else ""
            ratio = "" if way["way"] == way["of"] else f"{seconds / base:.2g} x"
            limit = float(str(way.get("moved", 0))) / bandwidth + float(str(way.get("fsyncs", 0))) * fsync
            lines.append(
                f"| {group} | {way['way']} | {words(seconds)}{rate} | {ratio} | {words(limit) if limit else ''} |"
            )
    machine = results["machine_info"]["cpu"].get("brand_raw", "")
    lines.append(
        f"\nMeasured on {results['datetime'][:10]}: {results['machine_info']['cpu'].get('count', '?')} cores"
        f"{f' ({machine})' if machine else ''}, "
        f"Python {results['machine_info']['python_version']}."
    )
    PAGE.write_text(
        re.sub(
            f"(<!-- {sys.argv[2]} -->\n).*?(<!-- /{sys.argv[2]} -->)",
            lambda m: m[1] + "\n".join(lines) + "\n" + m[2],
            PAGE.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        ),
        encoding="utf-8",
    )


def words(seconds: float) -> str:
    """Return a span of time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


if __name__ == "__main__":
    main()
