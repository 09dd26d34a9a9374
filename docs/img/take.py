"""Take the pictures of the docs: `make demo screenshots` (CHROMIUM=path of the browser).

The failure that services share is that of a replay of its day, made once into out/shared (some minutes).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from email import message_from_bytes, policy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs" / "img"
DEMO = ROOT / "out" / "demo"
SHARED = ROOT / "out" / "shared"
SHARED_DAY, SHARED_END = "2025-06-12-google-cloud", "2025-06-13T09:00:00Z"
SHOTS = (
    ("report-light", "incident", (1180, 1240), "light", False),
    ("report-dark", "incident", (1180, 1240), "dark", False),
    ("report-phone", "incident", (390, 1300), "light", False),
    ("timeline", "incident", (1180, 900), "light", False),
    ("index", "index", (1180, 900), "light", False),
    ("index-dark", "index", (1180, 900), "dark", False),
    ("index-phone", "index", (390, 1100), "dark", False),
    ("service", "service", (1180, 1100), "light", False),
    ("service-dark", "service", (1180, 1100), "dark", False),
    ("service-phone", "service", (390, 1300), "dark", False),
    ("shared", "shared", (1180, 1300), "light", False),
    ("shared-dark", "shared", (1180, 1300), "dark", False),
    ("shared-phone", "shared", (390, 1300), "light", False),
    ("mail", "mail", (720, 1000), "light", True),
)


def mail_page(folder: Path) -> Path:
    """Write the mail about the provider's confirmation on 2 March as a page with its picture beside it."""
    eml = next(iter(sorted((DEMO / "mail").glob("20260302T*-confirmed-*.eml"))))
    message = message_from_bytes(eml.read_bytes(), policy=policy.default)
    html = next(part for part in message.walk() if part.get_content_type() == "text/html").get_content()
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png").get_content()
    (folder / "chart.png").write_bytes(picture)
    page = folder / "mail.html"
    page.write_text(html.replace("cid:chart", "chart.png"), encoding="utf-8")
    return page


def shared_failure() -> Path:
    """Return the page of the failure that services shared on 12 June 2025."""
    program = (sys.executable, "-m", "pipeline")
    if not (SHARED / "groundswell.db").exists():
        SHARED.mkdir(parents=True, exist_ok=True)
        day = ROOT / "data" / "scenarios" / SHARED_DAY
        subprocess.run([*program, "backtest", str(day), "--db", "groundswell.db"], cwd=SHARED, check=True)  # noqa: S603
    subprocess.run([*program, "publish", "--now", SHARED_END], cwd=SHARED, check=True)  # noqa: S603
    return next(iter(sorted((SHARED / "report").glob("incident-*-shared.html"))))


def main() -> None:
    """Take every picture."""
    from playwright.sync_api import sync_playwright

    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not browser_path or not (DEMO / "report" / "index.html").exists():
        sys.exit("needs Chromium (CHROMIUM=path) and the demo's output (make demo)")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as play:
        report = DEMO / "report"
        pages = {
            "index": report / "index.html",
            "service": report / "service-claude.html",
            "mail": mail_page(Path(scratch)),
            "shared": shared_failure(),
            "incident": next(iter(sorted(report.glob("incident-claude-20260302*.html")))),
        }
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for name, page_name, (width, height), scheme, full in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(pages[page_name].as_uri())
            if name == "timeline":
                page.get_by_role("heading", name="Timeline").evaluate("h => h.scrollIntoView()")
            page.screenshot(path=str(OUT / f"{name}.png"), full_page=full)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
