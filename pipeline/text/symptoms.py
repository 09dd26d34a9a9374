"""How it fails, and how angry somebody is: rules over words.

The word lists are ours, in the languages the corpus has; they are short on purpose and read in one place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.text.normalize import normalize
from pipeline.text.patterns import Patterns

SYMPTOM_WORDS: Mapping[str, str] = {
    "login": r"log ?in|log ?on|logged out|logging (in|out)|sign(ed|ing)?[ -]?(me )?(in|out)|auth\b|authent\w*|authori[sz]\w*|oauth|passkey|2fa|magic link|"
    r"password|session expired|sesión|iniciar|einloggen|anmeld\w*|ausgeloggt|connexion|connecter|déconnect\w*|entrar|deslog\w*|"
    r"acced\w+|accesso|login\w*|inloggen|zalogowa\w*|logowa\w*|giriş|masuk|ログイン|サインイン|認証",
    "payment": r"payment\w*|checkout|card declined|pay\b|paiement|pago|zahlung|pagamento|支払|決済",
    "crash": r"crash\w*|freez\w*|closes itself|abstürz\w*|stürzt|plante|se cierra|trava\w*|落ち",
    "connection": r"disconnect\w*|connection|websocket|network error|no signal|no internet|offline|verbindung|conexión|conexão|"
    r"connessione|econnreset|socket|接続|圏外",
    "no_response": r"load(s|ing)?\b|blank|spin(s|n\w*)?\b|hang(s|ing)?\b|stuck|time ?outs?|tim(ed?|es|ing) out|unresponsive|no response|never connects|"
    r"won'?t (open|load|send|start)|doesn'?t (load|respond|open)|white screen|returns nothing|(no|not|never) (\w+ ){0,2}delivered|pantalla|charge pas|lädt|"
    r"no carga|não carrega|carrega\w*|carica\w*|反応|返事|くるくる|真っ白|読み込",
    "data": r"missing (chats|data|history|messages)|history (is )?(gone|empty)|lost my|disappeared|verschwunden|perdu",
    "error": r"error\w*|erreur|fehler\w*|fout|hata|błąd|erro|errore|[45]\d\ds?\b|overloaded\w*|internal server|something went wrong|"
    r"failed|fails|failing|falla\w*|エラー",
    "slow": r"slow\w*|lag(s|gy|ging)?|crawl\w*|takes? minutes|lent\w*|langsam|lento|重い|遅い",
    "all": r"\bdown\b|outage|dead|offline|caíd[oa]|cay[oó]|panne|tot\b|ausfall\w*|störung\w*|kaputt|plat\b|storing\w*|fora do ar|caiu|morto|giù|down\?|ölü|padł\w*|çök\w*|障害|落ちて",
}


# at the beginning of a word, or after a letter of a script that is written without spaces
_SYMPTOMS = Patterns({name: rf"(?:^|\b|[^\x00-\x7f])(?:{words})" for name, words in SYMPTOM_WORDS.items()})
_ANGRY = re.compile(
    r"!{2,}|\bwtf\b|\bffs\b|\bfuck\w*|\bshit\w*|\bdamn\b|\bridiculous\b|\bunacceptable\b|\bpathetic\b|\bgarbage\b|\bjoke\b|"
    r"\bmierda\b|\bputain\b|\bmerde\b|\bscheiß\w*|\bporra\b|\bcazzo\b|😡|🤬|😤"
)


def matched_symptoms(normalized: str) -> list[str]:
    """Return every symptom that the words of a normalized text hint at, the most specific first."""
    return _SYMPTOMS.names(normalized)


def symptom(text: str) -> str:
    """Return how the thing fails, the most specific kind first; empty when the text does not say."""
    return next(iter(matched_symptoms(normalize(text))), "")


def anger(text: str) -> float:
    """Return 0 to 1: how many of the marks of anger a text shows."""
    shouting = sum(word.isupper() and len(word) > 3 for word in text[:2000].split())
    return min(1.0, 0.34 * len(_ANGRY.findall(normalize(text))) + 0.15 * shouting)
