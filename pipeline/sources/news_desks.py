"""The news desks that are read by default: addresses of their feeds, by kind of desk."""

# read unless sources.news_desks is off: an announcement that makes a vendor famous, or bans it, comes from a
# ministry, a regulator or a wire before a technology desk has it
NEWS_DESKS = {
    "politics": (
        "https://feeds.bbci.co.uk/news/politics/rss.xml",
        "https://www.theguardian.com/politics/rss",
        "https://www.theguardian.com/us-news/rss",
        "https://rss.politico.com/politics-news.xml",
        "https://thehill.com/feed/",
        "https://rss.nytimes.com/services/xml/rss/nyt/Politics.xml",
        "https://feeds.npr.org/1014/rss.xml",
    ),
    "regulators": (
        "https://www.ftc.gov/feeds/press-release.xml",
        "https://www.justice.gov/news/rss",
        "https://www.sec.gov/news/pressreleases.rss",
        "https://www.gov.uk/search/news-and-communications.atom",
        "https://ec.europa.eu/commission/presscorner/api/rss",
        "https://www.federalregister.gov/api/v1/documents.rss",
    ),
    "wires and world": (
        "https://feeds.bbci.co.uk/news/world/rss.xml",
        "https://www.aljazeera.com/xml/rss/all.xml",
        "https://rss.dw.com/rdf/rss-en-all",
        "https://www.france24.com/en/rss",
        "https://www3.nhk.or.jp/rss/news/cat0.xml",
        "https://www.cbc.ca/webfeed/rss/rss-world",
    ),
    "technology": (
        "https://feeds.bbci.co.uk/news/technology/rss.xml",
        "https://www.theguardian.com/technology/rss",
        "https://rss.nytimes.com/services/xml/rss/nyt/Technology.xml",
        "https://techcrunch.com/feed/",
        "https://www.theregister.com/headlines.atom",
        "https://tech.slashdot.org/slashdot.rss",
    ),
}
