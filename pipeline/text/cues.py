"""Cues of an outage report and of what merely sounds like one, as words the linear model can weigh.

A few hundred labelled rows cannot show every wording in every language; a cue stands for all the wordings of one
idea, so that what is learned of it in one language holds in the others. The lists are ours and short on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.text.patterns import Patterns

CUES: Mapping[str, str] = {
    "down": r"\b(is|are|seems?|went|goes|all|still|again|totally|completely) (\w+ )?(down|dead|offline|borked|broken|kaputt)\b|"
    r"\bdown (again|for|right now|here|too)\b|\bdown\b ?\?|\bcaíd[oa]s?\b|\bse (ha )?ca(yó|ído)\b|\bfora do ar\b|\bcaiu\b|\bhors service\b|"
    r"\ben rade\b|\bgiù\b|\bplat\b|\bligt eruit\b|\bnie działa\b|\bpadł[oay]?\b|\bçök(tü|müş)\b|落ちて|落ちた|ダウン|\boffline\b|\btot\b|\bmorto\b",
    "outage": r"\b(outage|downtime|incident|disruption|panne|störung|ausfall|storing|awari[aąei]|kesinti|gangguan|interrupción|interrupção|disservizio)\w*|障害",
    "cannot": r"\b(can'?t|cannot|can not|unable to|won'?t let|couldn'?t) (\w+ )?(log|sign|connect|access|load|open|reach|send|get|pay|play|use|start|watch|make|finish|do)\b|"
    r"\bno (puedo|me deja|consigo|logro|deja)\b|\bnão (consigo|dá|deixa)\b|\b(je )?(n'arrive|peux|réussis) (pas|plus)\b|\bkomm\w* nicht\b|\bkann (mich )?nicht\b|"
    r"\bnon (riesco|mi fa|si riesce)\b|\bkan niet\b|\bnie mog\w+|\b(giremiyorum|açamıyorum|yapamıyorum)\b|\b(tidak|ga|gak|nggak|gabisa|tak) (bisa|dapat)\b|できない|できません|入れない",
    "broken": r"\b(not|isn'?t|aren'?t|stopped|doesn'?t|don'?t|won'?t|never) (\w+ )?(work|load|respond|open|send|answer|connect|show|play|go)\w*|"
    r"\bno (funciona|carga|responde|va|abre|entra)\b|\bnão (funciona|abre|carrega|responde|entra|vai)\b|\bne (marche|fonctionne|répond|charge|s'ouvre) (pas|plus)\b|"
    r"\b(funktioniert|geht|lädt|läuft|antwortet) (\w+ )?(nicht|nix)\b|\bnon (funziona|va|carica|risponde|si apre)\b|\b(doet|werkt|laadt) (het )?niet\b|\bnie (działa|ładuje|otwiera|odpowiada)\b|"
    r"\b(çalışmıyor|açılmıyor|yüklenmiyor|gitmiyor)\b|\b(tidak|ga|gak|nggak) (jalan|berfungsi|muncul|merespon)\b|\berror terus\b|動かな|開かな|反応しな|読み込まな|繋がらな|つながらな|返事が来な",
    "errorcode": r"\b(error|http|code|erreur|fehler|erro|errore|kod|hata)?:? ?(400|401|403|500|502|503|504|520|522|529)s?\b|internal server error|bad gateway|service unavailable|overloaded|something went wrong|"
    r"authentication_error|api_error|エラー",
    "spin": r"\bspinn?(er|ing|s)\b|\bblank (page|screen)|white screen|\bloading (forever|screen|bar)|\bstuck\b|\bhangs?\b|timed? ?out|times out|\bloop(s|ing)?\b|endlos|infini|infinito|\bpantalla\b|くるくる|真っ白",
    "kicked": r"\b(logged|signed|kicked|threw|thrown|booted|bounced) (me )?(out|off|back)\b|\bsession (expired|invalid)|\blogin (loop|page again)|deslogad|déconnecté|ausgeloggt|abgemeldet|uitgelogd|sesión (caducad|cerrad)|ログアウトされ",
    "same": r"\bsame( here| for me| problem| issue)?\b|\bme too\b|\bmine too\b|\bcan confirm\b|\bconfirm(ed|ing)\b|\bnot just (you|me)\b|\byep\b|\b(here|aquí|aqui|ici|hier|qui) (too|as well|also|también|também|aussi|auch|anche)\b|"
    r"\b(igual|lo mismo|mesma coisa|pareil|moi aussi|bei mir auch|hier auch|anch'io|idem|ook hier|u mnie też|bende de|sama|aku juga)\b|こっちも|うちも|私も|同じく",
    "justme": r"\b(is it )?(just|only) me\b|\banyone (else|here)?\b|\banybody\b|\bis (it|this|the|svctarget) (\w+ )?(down|broken|dead|working|up)\b|\bsolo (a mí|yo|io)\b|\b(só|somente) (eu|comigo)\b|\bsuis-je le seul\b|\bje suis le seul\b|\bnur (bei mir|ich)\b|"
    r"\b(alleen|enkel) (ik|bij mij)\b|\btylko (u mnie|ja)\b|\bsadece ben\b|\b(cuma|hanya) (aku|saya|gue)\b|私だけ|自分だけ|みんな|だけ\?|alguien más|alguém mais|quelqu'un d'autre|noch jemand|qualcun altro",
    "since": r"\b(for|since|the last|past|desde|seit|depuis|da|sinds|od|hace|faz|há|sejak) (about |around |like |over |hace |unos? |circa |almost )?(the )?(\d+|an|a|this|last|hora|min|heute|gestern|ce matin|stamattina|hoje|ayer|esta|vanmorgen|rana|pagi|tadi)\b|\bright now\b|\bsuddenly\b|\bstarted (\w+ )?(ago|around|at)\b|\b\d+ ?min(ute)?s?\b|さっきから|今朝から|分前",
    "status": r"\bstatus ?page\b|\binvestigating\b|\bdowndetector\b|\[(investigating|identified|resolved|major|minor)|\bpartial (outage|degradation)|\belevated\b|\bdegraded\b",
    "limit": r"\b(rate |usage |weekly |daily |message |token )?limits?\b|\bquota|\bcooldown|\bcaps?\b|\b429\b|\ballowance|\bresets? (at|in|on)|\blímite|\blimite|\bcota\b|\bkontingent|\bnutzungslimit|\bkuota|上限|制限|\bthrottl",
    "howto": r"\bhow (do|to|can|would|are|does)\b|\btutorial|\btips?\b|\bguide\b|\bis there (a|any) way|\bbest way\b|\bwhich (model|plan|one)|\bworkflow|\bset ?up\b|\bmy (setup|workflow)|\bcómo\b|\bcomo (faço|fazer|posso)|\bcomment (faire|puis|on)|\bwie (kann|mach|geht|bekomm)|\bcome (si|faccio|posso)|\bhoe (kan|moet)|\bjak (mogę|zrobić|ustawić)|\bnasıl\b|\b(cara|gimana|bagaimana)\b|方法|どうやって|使い方|コツ",
    "wish": r"\bfeature request|\bwish\b|\bwould be (nice|great)|\bplease (add|let|give|bring)|\bshould (add|have|let|support)|\broadmap|\bi'?d love|\bojalá|\bsería (genial|bueno)|\bwäre (schön|toll)|\bsarebbe bello|\bce serait|要望|追加して",
    "past": r"\b(remember|back in|last (year|month|summer|spring|week|tuesday)|years ago|months ago|in 20[0-2]\d|post-?mortem|the time when|used to)\b|\brecuerd\w+|\berinnert|\bvous vous souvenez|\blembra|\bricordate|覚えて|去年|先週",
    "mine": r"\b(my own|my (code|router|config|script|fault|wifi|vpn|firewall|typo|proxy|dns|mistake|bad))\b|\bturn(s|ed) out\b|\bnvm\b|\bnever ?mind\b|\bsolved\b|\bfixed it\b|\bi (forgot|had)\b|\bairplane mode|\bmi (culpa|código|router)|\bmein (fehler|router|code)|\bmon (code|routeur|erreur)|自分の(せい|コード|設定)|解決",
    "works": r"\bworks? (fine|great|again|for me|well|perfectly|now)\b|\bworking (fine|again|now|for me)\b|\bno (issues?|problems?)\b|\bback (up|online|for me|now|in)\b|\ball good\b|\bfixed\b|\bfunciona (bien|otra|de nuevo|perfect)|\bwieder da\b|\bgeht wieder\b|\bremarche\b|\bfunziona di nuovo|\bvoltou\b|\bvolvió\b|復旧|直った|戻った|問題ない|普通に使え",
    "money": r"\b(refund|billing|billed|charged|invoice|subscription|subscribe|price|pricing|pay(ing)? for|stock|shares|market cap|valuation|investor|earnings|cobr\w+|factur\w+|rechnung|abo\b|abonnement|fattur\w+)\b|料金|請求|株",
    "account": r"\b(banned?|suspended|deactivated|appeal|bann?(i|eado|ido)|gesperrt|kapatıldı|diblokir)\b|垢バン|アカウント停止",
    "politics": r"\b(government|federal|president|administration|pentagon|congress|senat\w+|directive|designation|supply[- ]chain|lawsuit|court|ban on|military|boycott|regulat\w+|minister\w*|defen[cs]e|gobierno|gouvernement|regierung|governo|politi\w+|law|sanction\w*|agencies|principles?|ethics|surveillance)\b|政府|大統領|国防|規制",
    "praise": r"\b(love|loving|amazing|awesome|brilliant|impressed|thank(s| you)|best (ai|thing|tool)|beautiful|grateful|finally|switched|moving to|migrat\w+|cancel(l?ed|ling)?|number one|no\. ?1|#1|top of the|app store|encanta|genial|merci|danke|liebe|amo|grazie|obrigad[oa])\b|ありがと|最高|好き|感動|乗り換え|1位",
    "joke": r"\blol\b|\blmao\b|😂|🤣|\bjoke|\bpun\b|\bdown for (it|this|that|whatever)|\bcalm down\b|\bbroke the internet|\bcrash course|\bbreaking bad\b|jaja|\bmdr\b|\bkkk+|haha|笑|草",
    "quality": r"\b(dumber|worse|lazy|nerfed|quality|lobotomi\w+|hallucinat\w+|forgets?|degrad(ed|ation) (in )?quality|regress\w+|peor|schlechter|moins bon|pior|peggio)\b|馬鹿|劣化",
    "job": r"\b(jobs?|hiring|hire|interview|career|junior|layoffs?|salary|resume|opinion|unpopular|debate|essay)\b",
    "target": r"svctarget",
    "other": r"svcother",
}
_CUES = Patterns({f"cue_{name}": pattern for name, pattern in CUES.items()})


def lexicon_features(masked: str) -> list[str]:
    """Return the cues that a masked, normalized text matches, and its length in five classes, as words `cue_<name>`."""
    found = _CUES.names(masked)
    words = len(masked.split()) if " " in masked else len(masked) // 2
    found.append(f"cue_len{min(5, words // 6)}")
    if "?" in masked:
        found.append("cue_asks")
    return found
