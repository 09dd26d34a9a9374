"""Error codes and names that a report quotes."""

from __future__ import annotations

from pipeline.text.lexicon import WordPattern
from pipeline.text.normalize import normalize

MOST = 5
NEAR = 30  # characters within which such a word makes a code of a bare number
_HTTP = r"40[01234689]|41[03]|422|429|451|50[0-4]|52[0-9]|530"
_OWN = r"[a-z]{2,5}(?:-\d{1,6}){1,3}"  # NW-2-5, CE-34878-0
_CODES = WordPattern(
    "error_codes",
    r"(?<![a-z0-9])(?:%(before_code)s)(?: code|コード)?s?[ :#が-]{0,3}"
    rf"(?P<said>{_OWN}|(?!2\d\d(?!\d))\d{{3,5}}(?:-\d{{3,5}})?|0x[0-9a-f]{{1,8}})(?![a-z0-9])|"
    rf"(?<![a-z0-9-])(?P<own>{_OWN})(?= error)|"
    rf"(?<![\w.,:$€£#/-])(?<![0-9][.,])(?P<http>{_HTTP})(?:s|er|en)?(?![a-z0-9])(?! ?(?:%(units)s))|"
    rf"(?<=[\u3040-\u9fff])(?P<glued>{_HTTP})(?=[\u3040-\u9fff])|"
    r"\b(?P<named>%(names)s)\b",
)
_CONTEXT = WordPattern("error_codes", r"\b(?:%(near)s)\b|%(near_marks)s")


def error_codes(text: str) -> tuple[str, ...]:
    """Return the error codes and names a text quotes, lower case, in order, each once, five at most.

    A bare number counts only near a word such as "error" or "page": a 404 among users is a number.
    """
    normalized = normalize(text)
    codes = []
    for match in _CODES.regex.finditer(normalized):
        sure = match["said"] or match["own"] or match["named"] or match["glued"]
        if sure or _CONTEXT.regex.search(normalized[max(0, match.start() - NEAR) : match.end() + NEAR]):
            codes.append(sure or match["http"])
    return tuple(dict.fromkeys(codes))[:MOST]
