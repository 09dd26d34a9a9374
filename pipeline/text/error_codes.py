"""Error codes and names that a report quotes."""

from __future__ import annotations

import re

from pipeline.text.normalize import normalize

MOST = 5
NEAR = 30  # characters within which a word of the trade makes a code of a bare number
_HTTP = r"40[01234689]|41[03]|422|429|451|50[0-4]|52[0-9]|530"
_OWN = r"[a-z]{2,5}(?:-\d{1,6}){1,3}"  # NW-2-5, CE-34878-0
_CODES = re.compile(
    rf"(?<![a-z0-9])(?:error|http|status|fehler|erreur|erro|errore|fout|hata|kode|kod|código|codigo|エラー|(?<!zip )(?<!area )(?<!promo )(?<!claude )(?<!vs )code)"
    rf"(?: code|コード)?s?[ :#が-]{{0,3}}(?P<said>{_OWN}|(?!2\d\d(?!\d))\d{{3,5}}(?:-\d{{3,5}})?|0x[0-9a-f]{{1,8}})(?![a-z0-9])|"
    rf"(?<![a-z0-9-])(?P<own>{_OWN})(?= error)|"
    rf"(?<![\w.,:$€£#/-])(?<![0-9][.,])(?P<http>{_HTTP})(?:s|er|en)?(?![a-z0-9])(?! ?(?:mbit|mbps|mb|gb|km|kg|min|people|users|miles|lines|repos|songs|words|times|pages|steps|questions|prompts|files|commits|jobs|messages|employees|packages|customers|euros?|dollars?|usd|%|€|\$))|"
    rf"(?<=[\u3040-\u9fff])(?P<glued>{_HTTP})(?=[\u3040-\u9fff])|"
    r"\b(?P<named>(?:[a-z]+_)+(?:error|denied|exceeded|timeout|unavailable|refused|failed)|err_[a-z0-9_]+|e(?:connreset|connrefused|timedout|notfound|hostunreach)|dns_probe_[a-z_]+|[a-z]+(?:server|timeout)error|[a-z]{4,}exception|0x[0-9a-f]{4,8})\b"
)
_TRADE = re.compile(
    r"\b(?:errors?|https?|apis?|servers?|pages?|gateway|overload\w*|status|requests?|fail\w*|getting|throw\w*|return\w*|fehler\w*|erreurs?|erros?|errore|respon\w*|codes?|from the|"
    r"unavailable|tira|da|błąd|only|nur|puros|just|endless|all i get|mulu|terus|veri\w*|sypie|krijg|dies|answers?|gives?|wirft|renvoie)\b|\b5\d\ds\b|エラー|さっき|ずっと|返"
)


def error_codes(text: str) -> tuple[str, ...]:
    """Return the error codes and names a text quotes, lower case, in order, each once, five at most.

    A bare number counts beside a word of the trade only: a 404 among users is a number.
    """
    normalized = normalize(text)
    found = []
    for match in _CODES.finditer(normalized):
        said = match["said"] or match["own"] or match["named"] or match["glued"]
        if said or _TRADE.search(normalized[max(0, match.start() - NEAR) : match.end() + NEAR]):
            found.append(said or match["http"])
    return tuple(dict.fromkeys(found))[:MOST]
