"""Draw stacks as a flame graph: `python -m tests.benchmarks.flame stacks.txt picture.svg`.

Stacks are lines of "outer;inner;… samples". The import system's own frames and what took less than a two-hundredth of
the time are left out, so that the picture stays small.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEAST, LETTER = 1200, 17, 0.005, 6.6
COLOURS = {"pipeline": "#2f7fb8", "detectors": "#3c9d74", "sqlite3": "#b86f2f"}


@dataclass(slots=True)
class Frame:
    """A function as called from what is below it."""

    name: str
    samples: int = 0
    above: dict[str, Frame] = field(default_factory=dict)


def read(text: str) -> Frame:
    """Return the root of the tree of frames."""
    root = Frame("all")
    for line in text.splitlines():
        stack, _, number = line.rpartition(" ")
        node = root
        node.samples += int(number)
        for frame in stack.split(";"):
            name = re.sub(r":\d+\)$", ")", frame)
            if not name or "frozen importlib" in name or name == node.name:
                continue
            node = node.above.setdefault(name, Frame(name))
            node.samples += int(number)
    return root


def draw(root: Frame) -> str:
    """Return the picture: the root at the bottom, width by share of the samples."""
    boxes: list[tuple[int, float, Frame]] = []

    def lay(node: Frame, depth: int, left: float) -> None:
        boxes.append((depth, left, node))
        for child in sorted(node.above.values(), key=lambda c: (-c.samples, c.name)):
            if child.samples >= LEAST * root.samples:
                lay(child, depth + 1, left)
                left += child.samples / root.samples * WIDTH

    lay(root, 0, 0.0)
    tall = (max(depth for depth, _, _ in boxes) + 1) * HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" font-family="monospace" font-size="11">'
    ]
    for depth, left, node in boxes:
        wide, top = node.samples / root.samples * WIDTH, tall - (depth + 1) * HEIGHT
        place = re.search(r"\((?:.*site-packages/)?([\w.-]+)", node.name)
        colour = COLOURS.get(place[1] if place else "", "#8a8f98")
        told = f"{node.name}, {node.samples / root.samples:.1%}"
        lines.append(
            f'<g><title>{escape(told)}</title><rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{HEIGHT - 1}" fill="{colour}"/>'
        )
        if wide > 8 * LETTER:
            lines.append(
                f'<text x="{left + 3:.1f}" y="{top + 12}" fill="#fff">{escape(told[: int(wide / LETTER) - 1])}</text>'
            )
        lines.append("</g>")
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(read(Path(sys.argv[1]).read_text(encoding="utf-8"))), encoding="utf-8")
