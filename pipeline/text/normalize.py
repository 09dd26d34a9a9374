"""Text made comparable: one spelling of the same characters, capped, without invisible ones."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

CAP = 4_000
REMEMBERED = 4_096  # texts whose normalized form is kept: every rule asks for it
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_URL = re.compile(r"https?://\S{1,500}")
_WORDLESS = re.compile(r"[^\w]+")


@lru_cache(REMEMBERED)
def normalize(text: str) -> str:
    """Return text for matching: capped, NFKC, case-folded, without zero-width and direction marks, lone surrogates."""
    return fold(text[:CAP])


def fold(text: str) -> str:
    """Return a text of any length as `normalize` writes it."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _INVISIBLE.sub("", folded)


def strip_to_words(text: str) -> str:
    """Return what is left of a text when case, punctuation, links and spacing are taken away: copies share it."""
    return _WORDLESS.sub(" ", _URL.sub(" ", normalize(text))).strip()


def shingles(text: str, size: int = 5) -> frozenset[tuple[str, ...]]:
    """Return the runs of `size` words of a text; characters count as words where a script does not space them."""
    words = strip_to_words(text).split()
    if len(words) < size and len("".join(words)) > 3 * size:
        words = list("".join(words))
    return frozenset(tuple(words[i : i + size]) for i in range(max(0, len(words) - size + 1)))


def jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """Return the share of runs two texts have in common; 0 when either has none."""
    return len(one & other) / len(one | other) if one and other else 0.0


def text_fingerprint(text: str) -> str:
    """Return a digest shared by texts that differ only in case, punctuation, spacing or links; empty for none."""
    bare = strip_to_words(text)
    return hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest()[:16] if bare else ""


def differently_worded(texts: Sequence[str], most: int) -> list[int]:
    """Return the places of the first texts that share at most half of their words with those before, at most `most`."""
    places: list[int] = []
    chosen: list[set[str]] = []
    for place, text in enumerate(texts):
        words = set(strip_to_words(text).split())
        if any(len(words & other) > len(words) / 2 for other in chosen):
            continue
        places.append(place)
        chosen.append(words)
        if len(places) == most:
            break
    return places
