"""Error codes and names that a report quotes."""

from __future__ import annotations

import re

from pipeline.text.normal import fold

MOST = 5
_HTTP = r"40[0134689]|41[03]|422|429|451|50[0-4]|52[0-9]|530"
_CODES = re.compile(
    rf"\b(?:error|http|code|status|fehler|erreur|erro|errore|fout|hata|kode|kod|código|codigo|エラー)(?: code)?s?[ :#-]{{0,3}}(?P<said>\d{{3,5}}|[a-z]{{2,5}}(?:-\d{{1,4}}){{1,3}}|0x[0-9a-f]{{1,8}})\b|"
    rf"(?<![\d.,:$€£#/-])(?P<http>{_HTTP})(?:s|er|en)?\b(?! ?(?:mbit|mbps|mb|gb|km|kg|min|people|users|miles|lines|repos|songs|words|times|pages|steps|questions|prompts|files|commits|jobs|euros?|dollars?|usd|%|€|\$))|"
    r"\b(?P<named>(?:[a-z]+_)+(?:error|denied|exceeded|timeout|unavailable|refused|failed)|err_[a-z0-9_]+|e(?:connreset|connrefused|timedout|notfound|hostunreach)|dns_probe_[a-z_]+|[a-z]+(?:server|timeout)error|[a-z]{4,}exception|0x[0-9a-f]{4,8})\b"
)  # fmt: skip
# a bare 404 in "404 users" is a number; as one of these words' neighbours it is a code
_TRADE = re.compile(
    r"error|http|api|server|page|gateway|overload|status|request|fail|getting|throw|return|fehler|erreur|erro\b|エラー|respon|\b(5\d\d)s\b|code|\bfrom the\b|unavailable|\btira\b|błąd|only|nur|puros|just|endless|all|mulu|terus|veri|sypie|krijg|dies|answers?|gives?|さっき|ずっと"
)


def error_codes(text: str) -> tuple[str, ...]:
    """Return the error codes and names a text quotes, lower case, in order, each once, five at most."""
    folded = fold(text)
    found = [
        match["said"] or match["named"] or match["http"]
        for match in _CODES.finditer(folded)
        if match["said"] or match["named"] or _TRADE.search(folded)
    ]
    return tuple(dict.fromkeys(found))[:MOST]
