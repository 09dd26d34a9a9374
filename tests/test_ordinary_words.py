"""Names that are ordinary words or people's names too: where the word is meant, no service is named."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.text.services import ServiceMatcher

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)

ORDINARY = {
    "claude": [
        "uncle Claude painted the fence",
        "Claude Monet loved his pond",
        "my cat Claude sleeps all day",
        "Jean-Claude sings tonight",
        "a walk with Claude and Marie",
    ],
    "gemini": [
        "she is a gemini, he is a leo",
        "gemini season is here, expect drama",
        "the gemini mission flew in 1965",
        "his moon is in gemini",
        "two geminis at one table",
    ],
    "copilot": [
        "the copilot was asleep when we landed",
        "his copilot seat was broken",
        "pilot and copilot walked off the plane",
        "be my copilot on this road trip",
        "the copilot said the radio had failed",
    ],
    "mistral": [
        "the mistral blows down the Rhône",
        "le mistral souffle depuis hier",
        "a cold mistral broke two umbrellas",
        "du mistral toute la semaine",
        "the mistral wind is back",
    ],
    "perplexity": [
        "he stared at me in utter confusion and some perplexity",
        "the perplexity of the question stunned us",
        "lower perplexity means a better language model",
        "her perplexity was plain to see",
        "my perplexity grew with each page",
    ],
    "grok": [
        "I can't grok it at all",
        "now I grok why the build breaks",
        "hard to grok the error message",
        "she wants to grok how engines work",
        "it took me years to grokked nothing",
    ],
    "cursor": [
        "the mouse cursor disappeared and the screen went blank",
        "my cursor jumps on this laptop",
        "a blinking cursor and no idea",
        "move the cursor to the left",
        "the sql cursor was never closed",
    ],
    "azure": [
        "azure skies over the bay",
        "an azure sea and no wifi",
        "she wore an azure dress",
        "the azure water was down a meter",
        "azure eyes, broken heart",
    ],
    "slack": [
        "cut me some slack, my laptop crashed",
        "business is slack this winter",
        "there is too much slack in the rope",
        "stop slacking off",
        "a slack line hangs from the mast",
    ],
    "discord": [
        "discord in the family again",
        "they sow discord and leave",
        "marital discord broke them",
        "discord between the two parties grew",
        "the seeds of discord were planted",
    ],
    "zoom": [
        "zoom in on the error in the picture",
        "the zoom lens is broken",
        "pinch to zoom doesn't work on this page",
        "cars zoom past our house",
        "I zoomed out and lost the map",
    ],
    "microsoft_teams": [
        "both teams are down to ten players",
        "our teams are stuck on a bug",
        "sales teams have no access to the building",
        "which teams will fail this season?",
        "two teams lost their login badges",
    ],
    "microsoft_365": [
        "open the office at nine",
        "365 days without an accident",
        "the office on the third floor is closed",
        "my office door is broken",
        "word of the day: resilience",
    ],
    "notion": [
        "the notion that it works is broken",
        "a strange notion crashed into my head",
        "I have no notion of time",
        "any notion of privacy is dead",
        "a romantic notion of offline life",
    ],
    "icloud": [
        "an apple a day keeps the doctor away",
        "apple pie failed, the oven is broken",
        "the apple tree is down after the storm",
        "red apple slices for lunch",
        "a bad apple spoils the barrel",
    ],
    "x": [
        "solve for x, the result is an error",
        "model x is broken",
        "gen x can't log in to anything",
        "the x axis is not working in my chart",
        "an x-ray showed nothing broken",
    ],
    "threads": [
        "the threads of the screw are broken",
        "too many worker threads crash the program",
        "these threads are stripped",
        "gold threads in her dress",
        "forum threads are down to two a day",
    ],
    "telegram": [
        "a telegram arrived in 1912",
        "he sent a telegram home",
        "the telegram was never delivered",
        "an old telegram fell out of the book",
        "singing telegram for your birthday",
    ],
    "signal": [
        "no signal since nine",
        "the wifi signal drops in the kitchen",
        "signal strength is bad here, can't connect",
        "turn signal broken again",
        "lost signal in the tunnel, nothing loads",
    ],
    "twitch": [
        "my eye has a twitch",
        "a nervous twitch came back",
        "the twitch in my leg won't stop",
        "her fingers twitch when she is tired",
        "eyelid twitch again, is it the coffee?",
    ],
    "steam": [
        "the steam engine broke down",
        "I ran out of steam at noon",
        "hot steam is coming out, the boiler failed",
        "let off steam after work",
        "the steam iron is not working",
    ],
    "stripe": [
        "a stripe of paint is missing",
        "the white stripe on the shirt faded",
        "magnetic stripe broken, card won't read",
        "two stripes on his sleeve",
        "the red stripe pattern looks off",
    ],
    "robinhood": [
        "robin hood stole from the rich",
        "a robinhood costume for the party",
        "like robinhood and his men",
        "the robinhood movie failed",
        "a modern robinhood in the forest",
    ],
    "chase": [
        "the dog likes to chase cats",
        "police chase ended in a crash",
        "cut to the chase, what is broken?",
        "they chase the bus that broke down",
        "a wild goose chase, nothing works",
    ],
    "amazon": [
        "the amazon rainforest is burning down",
        "a boat on the amazon river broke down",
        "fish of the amazon basin",
        "the amazon tribe lost contact",
        "amazon deforestation is up",
    ],
    "att": [
        "det är svårt att komma in",
        "jag vill att du ringer",
        "han glömde att ta med nyckeln",
        "svårt att se felet",
        "bra att ha",
    ],
    "spectrum": [
        "the autism spectrum is wide",
        "full spectrum lamps broken again",
        "a broad spectrum of errors",
        "radio spectrum auction failed",
        "zx spectrum won't load my tape",
    ],
    "delta": [
        "the nile delta is going down",
        "the delta variant was worse",
        "a delta of three points",
        "delta between two errors",
        "mekong delta floods cut the network",
    ],
    "united_airlines": [
        "manchester united are down to ten men",
        "the united states lost connection with Moscow",
        "we stand united in this crash",
        "a united front against errors",
        "united nations building closed",
    ],
    "southwest": [
        "the southwest corner of the roof is broken",
        "wind from the southwest took the antenna down",
        "southwest florida lost power",
        "a southwest salad, please",
        "we drove southwest of Tulsa and broke down",
    ],
    "free": [
        "feel free to write when it is broken",
        "the free tier is not working for me",
        "a free trial that failed",
        "are you free tonight, nothing works here",
        "sugar free and error free",
    ],
    "o2_de": [
        "the o2 sensor of my car is broken",
        "o2 levels went down",
        "at the o2 arena tonight",
        "blood o2 reading failed",
        "the o2 tank is empty, not working",
    ],
    "ee_uk": [
        "ee cummings wrote no capitals",
        "i got an ee degree and no job",
        "in ee classes we broke circuits",
        "she studies ee major and maths",
        "the letters e.e stand for nothing",
    ],
    "meo": [
        "oh meo deus",
        "the kitten says me-o",
        "meo coração in an old song",
        "meo is a word of the poem",
        "a poem: amor meo",
    ],
    "tim_it": [
        "tim cook said it works",
        "uncle tim broke his leg",
        "tim and ana are offline this week",
        "thanks tim, the fix failed",
        "my friend tim was down with the flu",
    ],
    "iliad_it": [
        "the iliad is a broken song",
        "homer's iliad crashed my exam",
        "we read the iliad and cried",
        "an iliad of errors",
        "iliad and the odyssey, not working class literature",
    ],
    "softbank": [
        "softbank group reported a loss",
        "the softbank stake went down",
        "softbank vision fund failed",
        "softbank hawks lost again",
        "softbank invests in robots",
    ],
    "zain": [
        "zain malik left the band",
        "my son zain broke the phone",
        "zain is five and can't sleep",
        "dinner with zain and sara",
        "a boy named zain",
    ],
    "national_grid": [
        "the national grid of roads",
        "a national grid for maps failed",
        "the national grid is a network of squares",
        "maps use the national grid",
        "the old national grid broke",
    ],
    "line": [
        "draw a line under it",
        "the line at the bakery is long",
        "a line of code is broken",
        "first in line, nothing works",
        "the phone line is down",
    ],
}
CASES = [(service, text) for service, texts in ORDINARY.items() for text in texts]


def test_every_name_that_is_an_ordinary_word_has_five_sentences() -> None:
    homographs = {service.id for service in CATALOGUE.values() if service.homograph}
    assert {service: len(set(texts)) for service, texts in ORDINARY.items()} == dict.fromkeys(homographs, 5)


@pytest.mark.parametrize(("service", "text"), CASES)
def test_the_ordinary_word_is_not_the_service(service: str, text: str) -> None:
    assert service not in MATCHER.about(text)
