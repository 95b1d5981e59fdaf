"""The words of English."""

from typing import Final

from roost.agents.lexicons import Lexicon, phrases, words
from roost.agents.lexicons.numerals import NUMERALS

_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

LEXICON: Final = Lexicon(
    code="en",
    stopwords=words("""
        a an the this that these those i you he she it we they me him her us them my your his its
        our their mine yours ours theirs who whom whose which what when where why how there here
        be am is are was were been being do does did done doing have has had having will would can
        could shall should may might must and or but if so as than then because while until till
        of at by for with about against between into through during before after above below to
        from up down in out on off over under again further once all any both each few more most
        other some such only own same too very just now also even still yet ever else rather quite
        one ones i'm you're we're they're it's that's there's here's what's who's i've you've we've
        they've i'll you'll we'll they'll let's let get gets got getting go goes going come comes
        coming take takes make makes made need needs want wants like likes give gives keep keeps
        put puts say says see sees know knows look looks find finds use uses try tries way ways
        thing things lot lots kind part per via every everyone everything anyone anything someone
        something across along around inside outside near next back away together already always
        soon later today whether however though although since upon within well much many really truly actually
    """),
    neutral=words("""
        hello hi hey welcome thanks thank please enjoy join visit book booking read learn discover
        explore check call ask tell share follow meet start stop begin bring send drop pop swing
        stay save plan planning remember note know good great nice happy lovely little bit big small
        simple simply easy easily quick quickly question questions answer answers detail details
        info information story link below page site website online more day days time times moment
        week weekend morning afternoon evening night year season people friends family everyone
        guests visitors customers christmas easter halloween santa claus neighbours neighbors folks team place spot home house door doors
        ready right true sure yes ok okay fyi ps dm diy faq heads reminder update news tip tips
        idea ideas reason reasons help helps helping matter matters worth waiting wait looking
        forward love work works run runs open opens opening opened set sets hand hands head step
        steps choose pick grab turn turns leave leaves show shows means mean include includes
        included including cost costs price prices pay pays offer offers sell sells serve serves
        available starting starts ends end closes close last lasts left right reach find new old
        think thinking wondering wonder ever feel feels fresh whole full long short early late first
    """),
    strict=words("""
        best cheapest lowest fastest quickest largest biggest finest greatest safest healthiest
        leading award awards award-winning guaranteed guarantee guarantees certified proven
        official exclusive exclusively free complimentary discount discounted sale unlimited
        lifetime instant instantly tomorrow tonight yesterday double half twice triple dozen dozens
        hundreds thousands millions billions top-rated world-class world-famous unique unbeatable
        unmatched bestselling risk-free refund refunds cure cures winner winners winning
        number-one perfect flawless revolutionary organic vegan handmade patented approved
        accredited licensed insured limited-time last-minute percent halved
    """),
    synonyms=(
        words("free complimentary gratis"),
        words("discount discounted sale reduced off"),
        words("half halved"),
        words("refund refunds money-back"),
        words("guarantee guaranteed guarantees warranty"),
    ),
    antonyms=(
        ("open", "closed"), ("opens", "closes"), ("included", "excluded"), ("free", "paid"),
        ("allowed", "forbidden"), ("allowed", "banned"),
        ("minimum", "maximum"), ("increase", "decrease"), ("rises", "falls"),
        ("indoors", "outdoors"), ("indoor", "outdoor"), ("possible", "impossible"),
        ("available", "unavailable"), ("always", "never"),
        ("longer", "shorter"), ("cheaper", "dearer"), ("safe", "unsafe"),
    ),
    negations=words("""
        not no never none nothing nobody zero without cannot neither nor isn't aren't wasn't weren't
        don't doesn't didn't won't wouldn't can't couldn't shouldn't haven't hasn't hadn't hardly
        ain't forbidden prohibited banned
    """),
    negation_idioms=phrases(r"""
        (?:do not|don't) (?:miss|forget|hesitate|worry|wait|be shy|panic)\b
        no (?:need|matter|problem|worries|wonder|doubt|stress|fuss|rush|hurry|drama)\b
        why not\b
        not only\b
        (?:no|not) (?:more|less|fewer) than\b
        not just\b
        can't wait\b
        (?:won't|wouldn't|don't|never|not) (?:ever )?say no\b
        whether or not\b
        or not\b
        no\. ?\d
        not to be missed
        nothing but\b
        (?:do not|does not|don't|doesn't|won't|not) (?=\w+ (?:\w+ )?(?:until|till|before)\b)
        not (?=until\b|before\b)
    """),
    equivalents=(
        ('free complimentary included gratis', r"\b(?:no|without|at no) (?:extra |additional |any )?(?:charge|cost|costs|fee|fees)\b|\b(?:(?:costs?|pays?|charged?|for) (?:\w+ )?nothing(?: at all| extra| more)?|nothing at all)(?!\w)|\b(?:doesn't|don't|does not|do not|won't|will not|without) (?:cost|costing|pay|paying|charge)(?: you| them| us)?(?: a (?:penny|thing|cent)| anything| extra| more)*\b|\b(?:isn't|aren't|is not|are not|not) charged(?: for)?(?: separately| extra)?\b|\bnot a (?:penny|cent)\b"),
        ('daily every always', r"\b(?:never|don't|do not) (?:closed?|closes?|shut|stop)\b"),
        ('walk-in walk-ins', r"\b(?:no|without) (?:booking|appointments?)\b"),
    ),
    numbers=NUMERALS["en"],
    denied_claims=words("""
        fee fees charge charges contract contracts commitment subscription deposit booking
        reservation appointment registration sign-up experience prescription referral additives
        preservatives sugar gluten alcohol plastic ads advertising   limit limits minimum
         obligation tracking interest
    """),
    instead=(r"\b(?:instead of|rather than|in place of)",),
    conditions=(r"if|unless|in case|should you",),
    strict_idioms=phrases(r"""
        (?:(?:living|live|its|my|your|our|their) )?best (?:life|wishes|friends?|regards|bit|part|of luck)
        all the best|at best|do (?:our|your|my) best|best (?:before|viewed|enjoyed|served)
        half (?:the (?:fun|battle|story)|of us|asleep|empty|full)|better half
        free (?:on|at|this|next|for (?:an hour|a day)|tomorrow|tonight)\b|half an hour|(?:half )?a dozen
        double-check|think twice|perfect(?:ly)? (?:for|timing|excuse|reason|weather|match)
    """),
    months={name: number for number, name in enumerate(_MONTHS, 1)} | {
        name[:3]: number for number, name in enumerate(_MONTHS, 1) if name != "may"
    } | {"sept": 9},
    weekdays={name: number for number, name in enumerate(_DAYS, 1)}
    | {f"{name}s": number for number, name in enumerate(_DAYS, 1)}
    | {name[:3]: number for number, name in enumerate(_DAYS, 1)}
    | {"tues": 2, "thur": 4, "thurs": 4},
    units={
        "am": "am", "pm": "pm", "a.m": "am", "p.m": "pm", "a.m.": "am", "p.m.": "pm",
        "noon": "time",
        "second": "second", "seconds": "second", "sec": "second", "minute": "minute",
        "minutes": "minute", "min": "minute", "mins": "minute", "hour": "hour", "hours": "hour",
        "hr": "hour", "hrs": "hour", "h": "hour", "day": "day", "days": "day", "night": "night",
        "nights": "night", "week": "week", "weeks": "week", "month": "month", "months": "month",
        "year": "year", "years": "year", "yr": "year", "yrs": "year",
        "euro": "eur", "euros": "eur", "pound": "gbp", "pounds": "gbp", "dollar": "usd",
        "dollars": "usd", "yen": "jpy", "cent": "cent", "cents": "cent", "pence": "penny",
        "percent": "percent", "cm": "cm", "mm": "mm", "km": "km", "m": "m", "metre": "m",
        "metres": "m", "meter": "m", "meters": "m", "kilometre": "km", "kilometres": "km",
        "kilometer": "km", "kilometers": "km", "mile": "mile", "miles": "mile", "foot": "foot",
        "feet": "foot", "ft": "foot", "inch": "inch", "inches": "inch", "yard": "yard",
        "yards": "yard", "g": "g", "gram": "g", "grams": "g", "kg": "kg", "kilo": "kg",
        "kilos": "kg", "kilogram": "kg", "kilograms": "kg", "tonne": "tonne", "tonnes": "tonne",
        "lb": "lb", "lbs": "lb", "oz": "oz", "ounce": "oz", "ounces": "oz", "ml": "ml",
        "litre": "l", "litres": "l", "liter": "l", "liters": "l", "l": "l", "pint": "pint",
        "pints": "pint", "gallon": "gallon", "gallons": "gallon", "degree": "degree",
        "degrees": "degree", "kcal": "kcal", "kilocalorie": "kcal",
        "kilocalories": "kcal", "calories": "kcal", "cal": "kcal", "millilitre": "ml",
        "millilitres": "ml", "milliliters": "ml", "centimetre": "cm", "centimetres": "cm",
        "centimeters": "cm", "millimetres": "mm", "millimeters": "mm", "gigabyte": "gb",
        "gigabytes": "gb", "megabyte": "mb", "megabytes": "mb", "terabytes": "tb",
        "kilowatt": "kw", "kilowatts": "kw", "kwh": "kwh", "kw": "kw", "w": "watt", "watt": "watt",
        "watts": "watt", "gb": "gb", "mb": "mb", "tb": "tb", "hundred": "hundred",
        "thousand": "thousand", "million": "million", "billion": "billion", "k": "thousand",
        "bn": "billion", "times": "times", "x": "times",
    },
    cliches=phrases("""
        game changer
        game-changer
        in today's fast-paced world
        in today's world
        in the world of
        look no further
        unlock the power
        unlock your potential
        unleash the power
        unleash your
        elevate your
        dive into
        deep dive
        delve into
        take it to the next level
        to the next level
        say goodbye to
        whether you're a seasoned
        embark on a journey
        your journey starts
        cutting-edge
        state-of-the-art
        seamlessly
        revolutionize
        revolutionise
        transform your life
        transform the way
        thrilled to announce
        excited to announce
        like never before
        the ultimate guide
        the possibilities are endless
        a testament to
        ever-evolving landscape
        hidden gem
        nestled in
        buckle up
        stay tuned
        what are you waiting for
        best-kept secret
        one-stop shop
        supercharge your
        empower your
        harness the power
        tapestry
    """),
    reasoning=phrases(r"""
        \bhere(?:'s| is| are) (?:the|a|an|my|your|our|some)\b[^.!?\n]{0,40}\b(?:tweets?|posts?|drafts?|version|variants?|options?|rewrite|revision|json|output|response)\b
        ^(?:sure|certainly|of course|absolutely)[!,.:] (?:here|i|let|this|below)
        \bas an ai\b
        \b(?:large )?language model\b
        \bi(?:'m| am) (?:sorry|unable|not able|an ai|happy to help)\b
        \bi (?:can't|cannot|can not) (?:help|assist|comply|write|generate|do that)\b
        \bi (?:have|will|'ve|'ll) (?:rewritten|rewrite|revised|revise|shortened|corrected|removed|now write|make sure)\b
        \bi(?:'ve|'ll) (?:rewritten|rewrite|revised|revise|shortened|corrected|removed|make sure)\b
        \blet me (?:think|know if|rewrite|try|revise|write|draft|count|start)\b
        \b(?:first|okay|ok|hmm|wait|so|alright),? (?:i|let me|we) (?:need|should|must|have) to\b
        ^(?:tweet|post|draft|option|variant|version|revised|corrected|rewritten|final|output|answer|response|reasoning|thought|thinking|analysis|assistant|user|system)(?: (?:tweet|post|draft|version|answer|text))?(?: ?#?\d+)?:
        \b(?:the|this) (?:user|brief|prompt|instruction)s? (?:wants|asks|asked|says|requires|said|requested)\b
        \b(?:the|this|your|my) (?:creative )?(?:brief|prompt)(?=[^\w\s'-]|$| (?:and|above|below|you|i)\b)
        \b(?:a|the|this|your|my|first|final|new) drafts?(?=[^\w\s'-]|$| (?:that|which|for|of|based|following|below|above|post|tweet|you|i)\b)
        \b(?:which|these|those|the given|the provided) facts\b
        \bfacts? (?:i|we) (?:can|could|should|will|need to|have to)\b
        ^(?:first|now|next|then|step \d+|okay|ok|hmm|so|well)[,:]? (?:i|let me)(?:'ll| will| must| should| need to| have to| can)? (?:think|check|choose|pick|select|consider|count|look|decide|write|draft|see)\b
        \b(?:i|let me|i'll|i will) (?:first |now )?think (?:first |briefly )?(?:about|of|through|over|which|what|whether)\b
        \bi(?:'ll| will| must| should| need to| have to)? (?:first )?(?:think|check|choose|pick|select|consider|count|decide|figure out) (?:about )?(?:which|what|whether|how many|the facts?)\b
        \bcharacter (?:count|limit)\b
        \b(?:word|token) count\b
        \b\d+ (?:weighted )?characters\b
        \bunder \d+ characters\b
        \bfeel free to (?:adjust|edit|modify|change)\b
        \bmeets? (?:the|all) (?:requirements|rules|constraints|criteria)\b
        \b(?:corrected|revised|rewritten|shortened|updated|improved) (?:post|tweet|draft|version)\b
    """),
    at_least=phrases("""
        at least
        more than
        over
        above
        starting at
        starting from
        starts at
        no less than
        not less than
        no fewer than
        not fewer than
        minimum of
        minimum
    """),
    at_most=phrases("""
        up to
        at most
        under
        below
        less than
        fewer than
        no more than
        not more than
        maximum of
        maximum
        within
    """),
    connectives=words("""
        and but or so because it its they them this that these those he she also however therefore
        then which otherwise besides moreover additionally meanwhile thus hence instead plus
    """),
    suffixes=("ings", "ing", "ies", "ied", "ers", "ed", "es", "ly", "er", "s", "e"),
)  # fmt: skip
