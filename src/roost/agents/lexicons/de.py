"""The words of German."""

from typing import Final

from roost.agents.lexicons import Lexicon, phrases, words
from roost.agents.lexicons.numerals import NUMERALS

_MONTHS: Final = [
    "januar",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
]
_DAYS: Final = ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"]

LEXICON: Final = Lexicon(
    code="de",
    stopwords=words("""
        der die das den dem des ein eine einen einem einer eines und oder aber denn wenn weil dass
        ob als wie so auch nur noch schon sehr mehr am im an in auf aus bei mit nach von vom zu zum
        zur über unter vor hinter neben zwischen durch für gegen um bis seit ab ich du er sie es
        wir ihr mich dich sich uns euch mir dir ihm ihnen mein dein sein unser unsere unseren
        unserem unserer euer eure eurem euren ihre ihren ihrem ihrer dieser diese dieses diesen
        diesem jeder jede jedes jeden jedem alle allen alles man wer was wann wo warum wieso welche
        welcher welches ist sind war waren bin bist seid wird werden wurde wurden worden hat haben
        habe hatte hatten habt kann können könnt könnten darf dürfen muss müssen müsst soll sollen
        will wollen wollt möchte möchten mag mögen da dann damit dazu dabei dafür davon daran
        darauf hier dort doch ja mal eben gern gerne immer jetzt heute bald wieder etwas einfach
        gleich selbst ganz gibt geht kommt kommen gehen macht machen lassen lässt sowie je pro per
        rund etwa ca bzw z b ans ins beim ums fürs viele viel wenig
    """),
    neutral=words("""
        hallo willkommen danke bitte gut gute guten guter schön schöne besuchen besucht besuch komm
        kommt vorbei schau schaut lesen lies erfahren erfahrt mehr infos info details link unten
        seite website online frage fragen antwort antworten tag tage woche wochenende morgen abend
        jahr zeit uhr mensch menschen leute freunde familie gäste kunden team ort haus tür türen
        bereit tipp tipps idee ideen hilfe helfen hilft lohnt warten wartet freuen freut buchen
        buche bucht jetzt termin offen geöffnet öffnen öffnet schließen schließt kosten kostet
        preis bezahlen zahlt dauert beginnt startet endet bringen bring bringt nehmen nimm nehmt
        melden melde meldet sagen sag sagt wissen übrigens hinweis neu neue neuen frisch frische
        frisches leicht schnell klein kleine groß große unterwegs daheim zuhause lust dabei
        enthalten inklusive verfügbar erhältlich finden findest findet planen plant anrufen ruft
    """),
    strict=words("""
        beste bester bestes besten billigste günstigste günstigsten schnellste schnellsten größte
        größten führend führende führender preisgekrönt ausgezeichnet garantiert garantie
        zertifiziert bewiesen offiziell exklusiv kostenlos gratis umsonst kostenfrei rabatt
        sonderangebot unbegrenzt lebenslang übermorgen gestern doppelt doppelte halb halbe
        dutzend hunderte tausende millionen einzigartig unschlagbar bestseller risikofrei erstattung
        heilt heilung sieger gewinner perfekt makellos revolutionär bio vegan handgemacht
        patentiert zugelassen prozent halbiert
    """),
    synonyms=(
        words("kostenlos gratis umsonst kostenfrei frei"),
        words("rabatt ermäßigt ermäßigung reduziert sonderangebot"),
        words("garantie garantiert"),
    ),
    antonyms=(
        ("geöffnet", "geschlossen"), ("offen", "geschlossen"), ("öffnet", "schließt"),
        ("inklusive", "exklusive"), ("kostenlos", "kostenpflichtig"), ("erlaubt", "verboten"),
        ("mindestens", "höchstens"), ("steigt", "sinkt"),
        ("drinnen", "draußen"), ("möglich", "unmöglich"), ("immer", "nie"),
        ("länger", "kürzer"), ("sicher", "unsicher"),
    ),
    negations=words("""
        verboten untersagt nicht kein keine keinen keinem keiner keines nie niemals nichts niemand null ohne weder
    """),
    negation_idioms=phrases(r"""
        nicht (?:verpassen|vergessen|zögern|lange warten|warten)\b
        (?:verpasst?|vergesst?|vergiss|verpassen sie|vergessen sie|zögert|zögern sie) [^.!?]{0,40}\bnicht\b
        kein(?:e|en)? (?:problem|sorge|sorgen|zweifel|frage|stress|hektik|wunder)\b
        warum nicht\b
        (?:sagen|sage|sagt) (?:wir |ich |er |sie )?nicht nein\b
        nicht nur\b
        nicht wahr\b
        mehr [^.!?]{0,40}\bnicht\b
        nicht (?:mehr|weniger) als\b
        nicht (?:über|unter) (?=\d)
        nicht (?=vor\b|bevor\b)
        nichts als\b
    """),
    equivalents=(
        ('kostenlos gratis frei umsonst inklusive enthalten kostenfrei', r"\b(?:zahlen|zahlt|bezahlen|bezahlt|kostet|kosten) (?:euch |dich |sie |ihr |wir )?(?:gar )?(?:nichts|kein(?:e|en)? (?:cent|eintritt|gebühr|gebühren))\b|\b(?:ohne|keine|keinen) (?:aufpreis|kosten|gebühr|gebühren|zusatzkosten|cent|eintritt)\b(?: zu (?:be)?zahlen| (?:be)?zahlen)?|\b(?:gar )?nichts (?:be)?zahlen\b|\bgar nichts\b"),
    ),
    numbers=NUMERALS["de"],
    denied_claims=words("""
        gebühr gebühren zusatzkosten aufpreis vertrag vertragsbindung abo anmeldung voranmeldung
        reservierung kaution mindestabnahme vorkenntnisse erfahrung rezept überweisung zusatzstoffe
        konservierungsstoffe zucker gluten alkohol plastik werbung
        verpflichtung
    """),
    instead=(r"\b(?:anstatt|statt|anstelle (?:von|der|des)) (?=\w)",),
    conditions=(r"wenn|falls|sofern|außer",),
    strict_idioms=phrases(r"""
        am besten|das beste draus|bester? (?:freund\w*|laune|grüße)|beste (?:grüße|wünsche|freund\w*)
        halb so (?:schlimm|wild)|ein (?:halbes )?dutzend|nicht umsonst|perfekt für
    """),
    months={name: number for number, name in enumerate(_MONTHS, 1)}
    | {"jänner": 1, "feber": 2},
    weekdays={name: number for number, name in enumerate(_DAYS, 1)}
    | {f"{name}s": number for number, name in enumerate(_DAYS, 1)}
    | {"sonnabend": 6, "sonnabends": 6},
    units={
        "uhr": "time", "sekunde": "second", "sekunden": "second", "minute": "minute",
        "minuten": "minute", "min": "minute", "stunde": "hour", "stunden": "hour", "std": "hour",
        "h": "hour", "tag": "day", "werktag": "day", "werktage": "day", "werktagen": "day", "tage": "day", "tagen": "day", "nacht": "night",
        "nächte": "night", "nächten": "night", "woche": "week", "wochen": "week",
        "monat": "month", "monate": "month", "monaten": "month", "jahr": "year", "jahre": "year",
        "jahren": "year", "euro": "eur", "cent": "cent", "franken": "chf", "pfund": "pfund",
        "dollar": "usd", "yen": "jpy", "prozent": "percent", "mm": "mm", "cm": "cm", "m": "m",
        "meter": "m", "metern": "m", "km": "km", "kilometer": "km", "kilometern": "km", "g": "g",
        "gramm": "g", "kg": "kg", "kilo": "kg", "kilogramm": "kg", "tonne": "tonne",
        "tonnen": "tonne", "ml": "ml", "l": "l", "liter": "l", "litern": "l", "grad": "degree",
        "kcal": "kcal", "kilokalorie": "kcal", "kilokalorien": "kcal", "kalorien": "kcal",
        "milliliter": "ml", "zentimeter": "cm", "zentimetern": "cm", "millimeter": "mm",
        "millimetern": "mm", "gigabyte": "gb", "megabyte": "mb", "kilowatt": "kw",
        "kilowattstunden": "kwh", "quadratmeter": "qm", "quadratmetern": "qm", "qm": "qm",
        "kwh": "kwh", "kw": "kw", "watt": "watt", "w": "watt", "hundert": "hundred",
        "tausend": "thousand", "million": "million", "millionen": "million",
        "milliarden": "billion", "mio": "million", "mrd": "billion", "mal": "times",
    },
    cliches=phrases("""
        auf das nächste level
        aufs nächste level
        auf ein neues level
        in der heutigen schnelllebigen welt
        in der heutigen zeit
        tauche ein
        tauchen sie ein
        taucht ein
        entfessle
        revolutioniere
        revolutionieren
        das ultimative
        gamechanger
        game changer
        game-changer
        worauf wartest du noch
        worauf warten sie noch
        worauf wartet ihr noch
        lass dich verzaubern
        wie nie zuvor
        nahtlos
        bahnbrechend
        keine wünsche offen
        seid gespannt
    """),
    reasoning=phrases(r"""
        \bhier (?:ist|sind|kommt) (?:der|die|das|ein|eine|mein|dein|ihr)\b[^.!?\n]{0,40}\b(?:tweets?|posts?|beitrag|beiträge|entwurf|entwürfe|version|variante|antwort|json)\b
        ^(?:klar|gerne|natürlich|selbstverständlich|sicher)[!,.:] (?:hier|ich|das)
        \bals (?:ki|künstliche intelligenz|sprachmodell)\b
        \bich (?:habe|werde) [^.!?\n]{0,40}(?:umgeschrieben|gekürzt|überarbeitet|korrigiert|umschreiben|kürzen)\b
        \bich kann (?:das|dabei|diese anfrage) nicht\b
        ^(?:tweet|post|beitrag|entwurf|option|variante|version|antwort|korrigiert|überarbeitet|endgültig|gedanke|überlegung|ausgabe)(?: ?\d+)?:
        \bzeichen(?:zahl|limit|grenze|anzahl)\b
        \b(?:unter )?\d+ zeichen\b
        \bder (?:nutzer|benutzer|prompt) (?:will|möchte|verlangt|sagt)\b
        \b(?:das|des|dem|im|ins|zum|vom|laut|gemäß|dein|ihr) (?:briefing|prompt)s?\b
        \b(?:ein|der|den|dieser|mein|dein|ihr|erster|neuer) (?:entwurf|textvorschlag)\b
        \b(?:welche|diese|die (?:genannten|gegebenen|vorgegebenen)) fakten\b
        ^(?:zuerst|erst|zunächst|als erstes|jetzt|nun|dann|also|okay|hm+)[,:]? (?:überlege|denke|prüfe|wähle|suche|schaue|zähle|schreibe|muss|sollte|werde) ich\b
        ^(?:lass mich|ich muss|ich sollte|ich werde) (?:zuerst |erst |zunächst |kurz |mal )*(?:überlegen|nachdenken|prüfen|schauen|schreiben|die fakten)\b
        \bich (?:überlege|überlegte|denke (?:\w+ )?nach)\b
        \bich (?:prüfe|wähle|zähle|suche)(?: \w+)?,? (?:welche|was|ob|wie viele|die fakten)\b
    """),
    at_least=phrases("""
        mindestens
        über
        mehr als
        von mindestens
        minimum
        wenigstens
        nicht weniger als
        nicht unter
    """),
    at_most=phrases("""
        bis zu
        höchstens
        maximal
        unter
        weniger als
        maximum
        binnen
        nicht mehr als
        nicht über
    """),
    connectives=words("""
        und aber oder denn weil er sie es dies dieser diese dieses außerdem deshalb daher dann auch
        trotzdem jedoch dazu dabei zudem deswegen dafür das sondern
    """),
    suffixes=("ungen", "ung", "ern", "est", "en", "er", "em", "es", "et", "st", "e", "n", "s",
              "t"),
    capitalizes_nouns=True,
)  # fmt: skip
