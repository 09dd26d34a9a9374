"""How it fails, which parts are meant, which are said to work, and how angry somebody is: rules over words.

The word lists are ours, in the languages the corpus has; they are short on purpose and read in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipeline.model import Service
from pipeline.text.normal import fold

SYMPTOM_WORDS: Mapping[str, str] = {
    "login": r"log ?in|log ?on|logged out|logging (in|out)|sign(ed|ing)?[ -]?(in|out)|auth\w*|oauth|passkey|2fa|magic link|"
    r"password|session expired|sesión|iniciar|einloggen|anmeld\w*|ausgeloggt|connexion|connecter|déconnect\w*|entrar|deslog\w*|"
    r"acced\w+|accesso|login\w*|ログイン|サインイン|認証|inloggen|zalogowa\w*|logowa\w*|giriş|masuk",
    "payment": r"payment|checkout|card declined|pay|paiement|pago|zahlung|pagamento|支払",
    "crash": r"crash\w*|freez\w*|closes itself|abstürz\w*|stürzt|plante|se cierra|trava\w*|落ち",
    "connection": r"disconnect\w*|connection|websocket|network error|no signal|no internet|offline|verbindung|conexión|conexão|"
    r"connessione|econnreset|socket|接続",
    "no_response": r"load(s|ing)?|blank|spinn\w*|hang(s|ing)?|stuck|timeout|timed out|times out|unresponsive|no response|"
    r"won'?t (open|load|send)|doesn'?t (load|respond|open)|white screen|pantalla|charge pas|lädt|carrega\w*|carica\w*|"
    r"反応|返事|くるくる|真っ白|読み込",
    "slow": r"slow\w*|lag(s|gy|ging)?|lent\w*|langsam|lento|重い|遅い",
    "data": r"missing (chats|data|history|messages)|history (is )?(gone|empty)|lost my|disappeared|verschwunden|perdu",
    "error": r"error\w*|erreur|fehler\w*|fout|hata|błąd|erro|errore|エラー|[45]\d\d\b|overloaded\w*|internal server|something went wrong|"
    r"failed|fails|failing|falla\w*",
    "all": r"\bdown\b|outage|dead|offline|caíd[oa]|cay[oó]|panne|tot\b|fora do ar|caiu|morto|giù|障害|落ちて|down\?|ölü|padł\w*|çök\w*",
}  # fmt: skip
_SYMPTOMS = {name: re.compile(rf"(?<!\w)(?:{words})") for name, words in SYMPTOM_WORDS.items()}

ROLE_WORDS: Mapping[str, str] = {
    "web": r"web ?site|web app|webapp|browser|web\b|site\b|página|navegador|navigateur|sito|webseite|website|サイト|ブラウザ|網站",
    "mobile": r"\bapp\b|iphone|android|ios\b|mobile|phone|móvil|celular|handy|téléphone|telefono|アプリ|スマホ",
    "desktop": r"desktop|mac app|windows app|escritorio",
    "api": r"\bapis?\b(?! error)|endpoints?|api[- ]?keys?|sdk",
    "code": r"\bcli\b|terminal",
    "console": r"console|dashboard",
}
_ROLES = {role: re.compile(words) for role, words in ROLE_WORDS.items()}
_CLAUSE = re.compile(
    r"[.;!?\n。、！？]|,|—| - |\b(but|yet|while|whereas|although|though|and|however|pero|mientras|mais|tandis|aber|während|dagegen|mas|ma|mentre|"
    r"invece|enquanto)\b|けど|が、"
)
_WORKS = re.compile(
    r"\bwork(s|ed|ing)?\b|\bfine\b|\b(is|are|still|seems?|was|all|totally|perfectly|looks?|=) (ok(ay)?|good|up|healthy|happy|alive|green|solid|normal)\b|"
    r"\bnormal(ly)?\b|\bperfectly\b|\brespond(s|ing)\b|\banswer(s|ing)\b|\bhapp(y|ily)\b|\bas ever\b|\bonly way\b|\bruns\b|"
    r"\bunaffected\b|\buntouched\b|\b(no|zero|not one|without) (\w+ )?(issues?|problems?|trouble|errors?|hitch)\b|"
    r"\bfunciona\w*|\bva (bien|perfect\w*|de lujo)|\br(es|se)p(on|no)d\w*|\bsin problema\w*|\btranquil\w*|\bde boa\b|\bsem problema\w*|\bnormalmente\b|"
    r"\bfunktioniert|\bläuft|\bgeht\b|\bproblemlos|\bantwortet|\bfonctionne\b|\bmarche\b|\brépond\w*|\bsans (souci|problème)|\bimpeccable|"
    r"\bfunziona|\brispond\w*|\bsenza problemi|\bcontinua a\b|\bva\b|動い|問題な|普通に|正常|使え|生きて|返って"
)
_NOT = re.compile(
    r"\bnot\b|n't\b|\bnt\b|\bno longer\b|\bnever\b|\bnothing\b|\bstopped\b|\bnone\b|\bneither\b|\bbarely\b|\bused to\b|\bnada\b|\bno (va|funciona|responde)\b|"
    r"\bonly (affects|hits)\b|\bnicht\b|\bkein\w*|\bne \w+ pas\b|\bpas\b|\bplus\b|\bnon\b|\bnão\b|ない|ません|動かな|使えな"
)
_ANGRY = re.compile(
    r"!{2,}|\bwtf\b|\bffs\b|\bfuck\w*|\bshit\w*|\bdamn\b|\bridiculous\b|\bunacceptable\b|\bpathetic\b|\bgarbage\b|\bjoke\b|"
    r"\bmierda\b|\bputain\b|\bmerde\b|\bscheiß\w*|\bporra\b|\bcazzo\b|😡|🤬|😤"
)


def symptom(text: str) -> str:
    """Return how the thing fails, the most specific kind first; empty when the text does not say."""
    folded = fold(text)
    return next((name for name, pattern in _SYMPTOMS.items() if pattern.search(folded)), "")


def parts_named(text: str, service: Service, named: Iterable[tuple[int, int, str]]) -> tuple[list[str], list[str]]:
    """Return the component ids a text says fail, and those it says work, both sorted.

    `named` are (start, end, component) hits of specific names in the folded text; words such as "website" count by
    role. A clause that says "works" of a part, unnegated, clears it.
    """
    folded = fold(text)
    roles = {part.role: part.id for part in reversed(service.components)}
    spots = [(start, component) for start, _, component in named if component]
    taken = [(start, end) for start, end, _ in named]
    for role, pattern in _ROLES.items():
        if role in roles:
            for match in pattern.finditer(folded):
                if not any(start <= match.start() < end for start, end in taken):
                    spots.append((match.start(), roles[role]))
    failing: set[str] = set()
    working: set[str] = set()
    edges = [0, *sorted({match.end() for match in _CLAUSE.finditer(folded)}), len(folded)]
    for spot, component in spots:
        begin = max(edge for edge in edges if edge <= spot)
        end = min((edge for edge in edges if edge > spot), default=len(folded))
        clause = folded[begin:end]
        (working if _WORKS.search(clause) and not _NOT.search(clause) else failing).add(component)
    return sorted(failing - working), sorted(working)


def anger(text: str) -> float:
    """Return 0 to 1: how many of the marks of anger a text shows."""
    shouting = sum(word.isupper() and len(word) > 3 for word in text[:2000].split())
    return min(1.0, 0.34 * len(_ANGRY.findall(fold(text))) + 0.15 * shouting)
