"""Places, errors, tools and openings and endings in several languages that the simulated posts are varied with."""

from __future__ import annotations

PLACES = {
    "en": "Ohio,London,Toronto,Texas,Dublin,Bangalore,Sydney,Portland,Leeds,Chicago,Singapore,Oslo",
    "es": "Madrid,Sevilla,Bogotá,Valencia,México",
    "fr": "Lyon,Paris,Bruxelles,Nantes,Genève",
    "de": "Berlin,Köln,Wien,Zürich,Leipzig",
    "pt": "Lisboa,São Paulo,Porto,Recife",
    "ja": "東京,大阪,福岡,札幌",
    "it": "Milano,Torino,Bari,Roma",
}
ERRORS = (
    "500",
    "529 overloaded",
    "503",
    "Internal server error",
    "an unexpected error",
    "502",
    "error 500",
    "authentication_error",
    "request timed out",
    "overloaded_error",
    "401",
    "OAuth error",
)
TOOLS = ("Teams", "my bank's app", "Xfinity", "Zoom", "Spotify", "Outlook", "the office VPN", "Jira", "our ISP")
BEFORE = {
    "en": ("ugh, ", "ok so ", "hi all, ", "hmm. ", "welp. ", "so… ", "mods, ", "quick one: ", "fwiw ", "argh "),
    "es": ("uf, ", "oye, ", "gente, "),
    "fr": ("bon, ", "salut, ", "euh, "),
    "de": ("hm, ", "Leute, ", "tja, "),
    "pt": ("gente, ", "poxa, ", "olá, "),
    "ja": ("あの、", "えっと、"),
    "it": ("ragazzi, ", "uffa, ", "ciao, "),
}
AFTER = {
    "en": (
        " (for {mins} min now)",
        " anyone?",
        " 😩",
        " ...",
        " pls",
        " on mobile btw",
        " 🤷",
        " !!",
        " edit: still",
        " deadline today of course",
        " {place} here",
        " been {mins} minutes",
        " sigh",
        " thx",
    ),
    "es": (" 😩", " desde hace {mins} min", " en {place}", " ..."),
    "fr": (" 😩", " depuis {mins} min", " à {place}"),
    "de": (" 😩", " seit {mins} min", " hier in {place}"),
    "pt": (" 😩", " faz {mins} min", " aqui em {place}"),
    "ja": ("😩", "、もう{mins}分", "({place})"),
    "it": (" 😩", " da {mins} minuti", " qui a {place}"),
}
