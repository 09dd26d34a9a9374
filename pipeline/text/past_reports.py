"""Short texts in nine languages that say nothing but that a service failed on a day that is over.

Such a language has too few word lists to know whether a failure of yesterday goes on. So every word of the text has
to be known and of the past: one unknown word ("still", "since", "like yesterday") leaves the text a report.
"""

from __future__ import annotations

import re
from functools import cache

from pipeline.text.lexicon import WordList, lexicon
from pipeline.text.patterns import unaccented

LONGEST = 140  # characters of a text that is asked: a longer one says more
_LISTS = ("failed", "day", "beside", "recalls", "works_now")
_FAILED = WordList("past_reports", "failed")
_PARTED = re.compile(r"[\s,.!?]+")
_OVER = (
    "(?:(?:{beside}) )*(?:(?:{failed}) (?:(?:{beside}) )*(?:{day})|(?:{day}) (?:(?:{beside}) )*(?:{failed}))"
    "(?: (?:{beside}))*(?: (?:{works_now}))?"
)
_RECALLED = "(?:{recalls}) (?:(?:{beside}|{day}) )*(?:{failed})(?: (?:{beside}|{day}))*"


@cache
def _said() -> re.Pattern[str]:
    """Return what matches such a text, each in the words of one language; raises ConfigError."""
    lists = lexicon("past_reports")
    texts = []
    for language in lists.by_language("failed"):
        words = {name: "|".join(lists.by_language(name).get(language, ())) for name in _LISTS}
        texts += [text.format(**words) for text in (_OVER, _RECALLED)]
    try:
        return re.compile("|".join(texts))
    except re.error:
        for name in _LISTS:
            lists.check(name)
        raise


def is_over(masked: str) -> bool:
    """Return whether a masked text says that its service failed on a day that is over, and nothing else."""
    if len(masked) > LONGEST:
        return False
    text = _PARTED.sub(" ", unaccented(masked)).strip()
    return _FAILED.may_match(text) and bool(_said().fullmatch(text))
