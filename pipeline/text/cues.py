"""Cues of an outage report and of what merely sounds like one, as words the linear model can weigh.

A few hundred labelled rows cannot show every wording in every language; a cue stands for all the wordings of one
idea, so that what is learned of it in one language holds in the others. The word lists are in data/lexicon/cues.toml.
"""

from __future__ import annotations

from pipeline.text.patterns import PatternSet

# cues that something fails, in any language
FAILURES = frozenset(f"cue_{name}" for name in ("down", "outage", "cannot", "broken", "errorcode", "spin", "kicked"))
_CUES = PatternSet("cues")
LENGTHS, WORDS_A_LENGTH = 5, 6


def cue_names() -> list[str]:
    """Return `cue_<name>` of every word list of cues, in the file's order."""
    return [f"cue_{name}" for name in _CUES.names]


def lexicon_features(masked: str) -> list[str]:
    """Return the cues that a masked, normalized text matches, and its length in six classes, as words `cue_<name>`."""
    features = [f"cue_{name}" for name in _CUES.matched(masked)]
    words = len(masked.split()) if " " in masked else len(masked) // 2
    features.append(f"cue_len{min(LENGTHS, words // WORDS_A_LENGTH)}")
    if "?" in masked:
        features.append("cue_asks")
    return features
