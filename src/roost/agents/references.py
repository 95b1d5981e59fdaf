"""Finds facts that make no sense alone: their first words refer to another sentence.

`It takes a day` needs a sentence that says what takes a day. The facts are compared with lists of
words. So a fact with a rare word is missed, and a word with several meanings can mislead.
"""

from typing import Final

from roost.agents.language_names import language_code
from roost.agents.lexicons import any_of, phrases
from roost.agents.terms import fold_quotes

#: Before one of these words, `this` names a time, not another sentence: `this winter`.
_ENGLISH_TIMES: Final = (
    r"(?:year|week|weekend|month|season|spring|summer|autumn|fall|winter|morning|afternoon|evening"
    r"|christmas|easter|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\b"
)
_GERMAN_TIMES: Final = (
    r"(?:jahr|woche|wochenende|monat|saison|frühjahr|frühling|sommer|herbst|winter|morgen|abend"
    r"|weihnachten|ostern|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|januar|februar|märz"
    r"|april|mai|juni|juli|august|september|oktober|november|dezember)"
)
_SPANISH_TIMES: Final = (
    r"(?:año|semana|fin de semana|mes|temporada|curso|primavera|verano|otoño|invierno|mañana|tarde"
    r"|noche|navidad|lunes|martes|miércoles|jueves|viernes|sábado|domingo|enero|febrero|marzo"
    r"|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)\b"
)
_FRENCH_TIMES: Final = (
    r"(?:année|semaine|week-end|mois|saison|printemps|été|automne|hiver|matin|après-midi|soir|nuit"
    r"|noël|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|janvier|février|mars|avril|mai|juin"
    r"|juillet|août|septembre|octobre|novembre|décembre)\b"
)
_ENGLISH: Final = phrases(rf"""
    ^(?:it|its|it's|it'll|he|he's|she|she's|they|they're|they'll|them|him|his|her|their|theirs)\b
    ^(?:this|these|that|those)\b(?! {_ENGLISH_TIMES})
    ^there\b(?! (?:is|are|was|were|will|has|have|can|isn't|aren't)\b|')
    ^(?:and|but|or|because|however|therefore|then|which|otherwise|besides|moreover|additionally)\b
    ^(?:furthermore|meanwhile|thus|hence|instead|plus|also|too|afterwards|likewise|similarly)\b
    ^so\b(?! far\b)
    ^such\b
    ^both (?:is|are|was|were|have|can|cost|take)\b
    ^the (?:same|other|others|latter|former|rest)\b
    ^(?:\w+ )?(?:among|of|in|with|for|to|at|on|from|before|after|by) (?:it|them|him)\b
    ^(?:\w+ )?(?:among|of|in|with|for|to|at|on|from|before|after|by) (?:this|these|that|those)\b(?! {_ENGLISH_TIMES})
    ^(?![^.!]*\?)(?:is|are|was|were|has|costs|takes|lasts|includes|contains|starts|begins|ends|needs|weighs|comes|features|runs)\b
    \balso\b
    \b(?:too|as well|either|instead)[.!]?$
""")  # noqa: E501
_GERMAN: Final = phrases(rf"""
    ^(?:er|ihm|ihn|ihnen|deren|dessen|sein|seine|seiner|seinen|seinem)\b
    ^es (?!(?:gibt|geht|fehlt|lohnt|bleibt|braucht|genügt|reicht|darf)\b|[\w]+en\b|sind\b|(?:ist|wird) (?:\w+ )?(?:möglich|wichtig|nötig|erlaubt|verboten|empfohlen)\b)
    ^sie (?!\w+e[nr]n?\b|sind\b)
    ^(?:dies|diese[rsnm]?|jene[rsnm]?|solche[rsnm]?)\b(?! {_GERMAN_TIMES})
    ^(?:in|an|mit|von|zu|für|auf|bei|unter|nach|vor|aus) (?:ihm|ihr|ihnen)\b
    ^(?:in|an|mit|von|zu|für|auf|bei|unter|nach|vor|aus) diese[rsnm]?\b(?! {_GERMAN_TIMES})
    ^(?:das|der|die) (?:ist|sind|war|waren|gilt|kostet|kosten|geht|heißt|macht|dauert|dauern|bedeutet|hat|haben|wird|werden|kann|können|bringt|spart|reicht|klappt)\b
    ^(?:und|aber|oder|denn|weil|außerdem|deshalb|daher|dann|trotzdem|jedoch|zudem|deswegen|sondern|sonst|stattdessen|danach|anschließend|ebenso|beide sind)\b
    ^(?:\w+ ){{0,2}}(?:auch|dafür|dazu|davon|daran|darauf|daraus|darin|darum|darüber|darunter|damit|dabei|dagegen|dadurch|dort|dorthin)\b
    ^(?![^.!]*\?)(?:ist|sind|kostet|kosten|dauert|enthält|umfasst|wiegt|hat)\b
    \b(?:ebenfalls|außerdem|zudem)\b
""")  # noqa: E501
_SPANISH: Final = phrases(rf"""
    ^(?:él|ella|ellos|ellas|ello|esto|eso|aquello|le|les|cuyo|cuya)\b
    ^(?:este|esta|estos|estas|ese|esa|esos|esas|aquel|aquella)\b(?! {_SPANISH_TIMES})
    ^(?:entre|con|para|por|en|de|sin|a) (?:él|ella|ellos|ellas|ello|esto|eso)\b
    ^(?:y|e|o|pero|porque|además|también|tampoco|entonces|así|luego|sin embargo|por eso|por tanto|pues|aunque|después|allí|ahí)\b
    ^lo\b(?! (?:más|mejor|único|primero|último|que)\b)
    ^(?:los|las) (?!(?:últim|próxim|mism|máxim|mínim|extrem)[oa]s)(?:\w*[^\Ws\d]|\w{{3,}}[aei]mos)\b
    ^la \w+[aeó] (?:el|la|los|las|un|una|nuestr[oa]s?|nadie|alguien)\b
    ^(?:lo|la|los|las) (?:imparte|dirige|organiza|hace|ofrece|prepara|elabora|cultiva|vende|tenemos|servimos|hacemos|preparamos|puedes)[nó]?\b
    ^se \w+ (?:en|a|al|de|del|por|con|desde|hasta|todos|cada)\b
    ^(?:cuesta|cuestan|dura|duran|incluyen?|tienen?|empiezan?|comienzan?|terminan?|consta|contienen?|pesan?|mide|requieren?|son|están)\b
    ^es\b(?! (?:necesario|obligatorio|posible|imprescindible|recomendable|importante|mejor|preciso|conveniente)\b)
    ^está\b(?! (?:prohibido|permitido)\b)
    \btambién\b
""")  # noqa: E501
_IMPERSONAL: Final = (
    r"(?:y a|n'y a|faut|ne faut|suffit|reste|vaut mieux|(?:est|n'est pas) (?:\w+ )?(?:possible"
    r"|interdit|temps|conseillé|recommandé|inutile|utile|nécessaire|préférable|obligatoire"
    r"|besoin))\b"
)
_FRENCH: Final = phrases(rf"""
    ^il\b(?! {_IMPERSONAL})
    ^(?:elle|ils|elles|cela|ça|ceci|celui|celle|ceux|celles|y|lui|leur|leurs|son|sa|ses|dont)\b
    ^c'
    ^(?:ce|cet|cette|ces)\b(?! {_FRENCH_TIMES})
    ^(?:parmi|avec|pour|chez|sans|dans|de|à) (?:lui|elle|eux|elles|cela|ça)\b
    ^(?:et|mais|ou|car|donc|aussi|puis|ensuite|alors|cependant|pourtant|ainsi|de plus|en outre|par ailleurs|en plus|enfin)\b
    ^(?:est|sont|coûte|coûtent|dure|durent|comprend|contient|débute|pèse)\b
    \b(?:également|aussi(?! \w+ que))\b
""")  # noqa: E501
#: The last pattern finds the particle も (`also`) after the first words. Such a fact refers to
#: another sentence.
_JAPANESE: Final = phrases(r"""
    ^(?:これ|それ|あれ|ここ|そこ|そちら|彼|彼女)
    ^(?:この|その|あの)(?!春|夏|秋|冬|週末|季節|たび|ほか|日曜|土曜)
    ^(?:そして|また(?!は)|しかし|さらに|でも|だから|ですから|なので|ただし|ちなみに|そのため|それに|なお|ほかに|他に|同じく)
    ^[^、。はがをに]{1,12}?(?<!子ど)(?<!こど)(?<!で)(?<!いつ)も(?:あります|います|できます|使えます|可能|無料|販売|ご利用|お楽しみ)
""")
_PATTERNS: Final = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "es": _SPANISH,
    "fr": _FRENCH,
    "ja": _JAPANESE,
}
_opening_marks = "\"'“”„«»‹›‘’「『（(¿¡ "


def find_reference(text: str, language: str) -> str:
    """Return the words of a fact that refer to another sentence; empty if none are found.

    The result is always empty in a language for which there are no patterns.
    """
    patterns = _PATTERNS.get(language_code(language))
    if patterns is None:
        return ""
    folded = fold_quotes(text).lstrip(_opening_marks)
    found = any_of(patterns).search(folded)
    return found[0].strip(" .!") if found else ""
