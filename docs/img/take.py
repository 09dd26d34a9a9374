"""Take the pictures of the docs from the demo's output: `make demo screenshots` (CHROMIUM=path of the browser)."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from email import message_from_bytes, policy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs" / "img"
DEMO = ROOT / "out" / "demo"
SHOTS = (
    ("report-light", "incident", (1060, 1180), "light", False),
    ("report-dark", "incident", (1060, 1180), "dark", False),
    ("report-phone", "incident", (390, 1100), "light", False),
    ("index", "index", (1060, 900), "light", False),
    ("service", "service", (1060, 900), "light", False),
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
            "incident": next(iter(sorted(report.glob("incident-claude-20260302*.html")))),
        }
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for name, page_name, (width, height), scheme, full in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(pages[page_name].as_uri())
            page.screenshot(path=str(OUT / f"{name}.png"), full_page=full)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
