"""The German words that a narration may have."""

from typing import Final

from roost.agents.lexicons.narration import NarrationWords, inflect, split_pairs, split_words

_FUNCTION_WORDS: Final = split_words("""
der die das des dem den dessen deren denen ein eine einen einem einer eines dieser diese dieses
diesem diesen jener jene jenes er sie es ihm ihn ihr ihre ihren ihrem ihrer ihres ihnen sein seine
seinen seinem seiner seines wir uns unser unsere unseren unserem unserer unseres sich man und oder
aber während wie als auch was wer wo woran wofür welche welcher welches welchen in im an am auf aus
bei beim mit von vom zu zum zur für durch über um unter ohne innerhalb gegenüber neben zwischen
dazu dabei dafür darin darauf daraus damit darüber hier dort hinzu bei ist sind war waren
sei wird werden wurde wurden worden hat haben hatte hatten kann können konnte konnten darf dürfen
soll sollte sollten nicht kein keine keinen keinem keiner keines auch sowie also so bitte danke
willkommen ob dass beim ins ans hinaus heraus ab ein bei vor
""")
_FEMININE_NOUNS: Final = inflect(
    """
agentur redaktion redakteur zusammenfassung grafik einzelheit definition beschreibung erläuterung
bemerkung impression interaktion reaktion botschaft leistung aktivität häufigkeit frequenz messung
beobachtung veränderung änderung bewegung abweichung auffälligkeit prüfung überwachung eigenschaft
aufmerksamkeit sichtbarkeit gemeinschaft leitung anregung fortsetzung bilanz verteilung transparenz
vollständigkeit betrachtung überlegung veröffentlichung erwähnung diskussion rückmeldung beziehung
information statistik deutung einschätzung empfehlung entscheidung vorbereitung planung gefolgschaft
neuigkeit
""",
    ("", "en"),
)
_NOUNS: Final = inflect(
    """
account konto kontos publikum bericht leser leserin kunden kundin team kennzahl zahl summe wert
ergebnis übersicht bild abschnitt tabelle grafiken kurve eintrag zeile glossar hinweis engagement
antwort repost klick aufruf follower abonnent beitrag text inhalt thema ton beispiel bezug plan
redaktionsplan redaktionskalender kalender rhythmus umfang median durchschnitt zeitraum zeiträume
berichtszeitraum tag datum zeit befund vergleich vergleiche unterschied muster bereich bereiche band
intervall signal detektor verlauf grund ursache ursachen vorsicht test gespräch gespräche dialog
marketing mitglied mensch menschen person partner kollegin zugewinn zugang abgang saldo stand
endstand abschluss beginn anfang kopf zusammenarbeit schwerpunkt element bestandteil zweck quelle
dokument arbeit projekt profil feed plattform artikel autor austausch verhältnis hintergrund
verständnis erkenntnis messwert maß anhang überschrift titel satz wort wörter vorschlag schritt
auftrag blick detailansicht gesamtergebnis name ereignis alter alters form angabe eindruck
steckbrief kontakt nachricht
""",
    ("", "s", "es", "e", "en", "n"),
)
_NOUN_FORMS: Final = inflect(
    """
konten kunde marke unternehmen werte ergebnisse abschnitte seite liste einträge spalte hinweise
klicks aufrufe beiträge texte inhalte themen rate zeitraums berichtszeitraums tage timeline daten
befunde unterschiede gründe aussage analyse reichweite interesse frage zugewinne zugänge zugängen
abgänge abgängen mitte ende methode geschichte verhältnisse lage messwerte sätze worte vorschläge
schritte kürze namen ereignisse like likes größe angaben eindrücke nachrichten rahmen
""",
    ("", "n"),
)
_VERBS: Final = split_words("""
gewann gewannen gewinnt gewinnen gewonnen erhielt erhielten erhält erhalten verzeichnet
verzeichnete verzeichneten verzeichnen zeigt zeigte zeigten zeigen gezeigt zählt zählte zählten
zählen gezählt beträgt betrug betrugen betragen liegt lag lagen liegen steht stand standen stehen
lautet lautete lauten ergibt ergab ergaben ergeben sammelt sammelte sammelten sammeln gesammelt
hinterlässt hinterließ hinterließen hinterlassen trägt trug trugen tragen beiträgt beitrug steuert
steuerte steuerten steuern meldet meldete meldeten melden gemeldet beginnt begann begannen
beginnen begonnen misst maß maßen messen gemessen reagiert reagierte reagierten reagieren bringt
brachte brachten bringen gebracht kommt kam kamen kommen gekommen ergänzt ergänzte ergänzen endet
endete endeten enden beendet beendete beendeten beenden erreicht erreichte erreichten erreichen
sieht sah sahen sehen gesehen macht machte machten machen gemacht besteht bestand bestanden
bestehen bestehende bestehenden registriert registrierte registrierten registrieren umfasst
umfasste umfassten umfassen begegnet begegnete begegneten begegnen enthält enthielt enthielten
enthalten erzielt erzielte erzielten erzielen eröffnet eröffnete eröffnen gibt gab gaben geben
gegeben sorgt sorgte sorgten sorgen summiert summierte summieren interagiert interagierte
interagierten interagieren gehört gehörte gehörten gehören hält hielt hielten halten festgehalten
festhalten schließt schloss schlossen schließen folgt folgte folgten folgen gefolgt abonniert
abonnierte abonnierten spricht sprach sprachen sprechen ansprechen angesprochen fügt fügte fügten
fügen nennt nannte nannten nennen genannt veröffentlicht veröffentlichte veröffentlichten
veröffentlichen entspricht entsprach entsprachen entsprechen erscheint erschien erschienen
erscheinen geht ging gingen gehen beschreibt beschrieb beschreiben beschrieben zusammenfassen
zusammengefasst lässt lassen gesendet sendet sendete sendeten senden entsteht entstand entstanden
entstehen teilt teilte teilten teilen bietet bot boten bieten plant plante planten planen geplant
liefert lieferte lieferten liefern geliefert heißt hieß heißen verteilt verteilte verteilten
verteilen gefüllt beläuft belief beliefen belaufen lohnt lohnte lohnen zeichnet verdient verdiente
verdienen vermerkt lesen liest las lasen gelesen dient diente dienen wählt wählte wählten wählen
gewählt findet fand fanden finden gefunden aufgreifen aufgegriffen stützt stützte stützten stützen
vertreten ableiten abgeleitet erlaubt erlaubte erlauben berichten berichtet berichtete belegt
belegte belegen braucht brauchte brauchen nutzt nutzte nutzen genutzt markiert markierte
markierten markieren einstuft stuft eingestuft erkennt erkannte erkannten erkennen erkannt
beachten beachtet kennt kannte kennen bekannt unterbrochen prüft prüfte prüfen geprüft empfiehlt
empfahl empfehlen empfohlen bemerkt bemerkte bemerken erwähnt erwähnte erwähnen bedeutet bedeutete
bedeuten beantwortet beantwortete beantworten antwortet antwortete antworteten antworten erläutert
erläutern erklärt erklären definiert definieren präsentiert präsentieren lädt lud luden laden
gewertet wertet werten weist wies wiesen weisen ausgewiesen interessiert interessierte
interessierten zusammen abgeschlossen umfassend betrachtet betrachten betrachteten darstellt
dargestellt darstellen stellt stellte stellen gestellt listet aufgelistet hinzugefügt danken dankt
widmet schreibt schrieb geschrieben verfasst verfasste bereitgestellt ausgewertet auswerten
bespricht besprechen
""")
_ADJECTIVES: Final = inflect(
    """
wichtig zentral klar typisch üblich neu gemessen veröffentlicht letzt abschließend redaktionell
besonder statistisch festgelegt ungewöhnlich eigen erwartet gleich kurz folgend
jeweilig aktuell betreffend zugehörig sichtbar aktiv normal genau vollständig enthalten
allgemein persönlich öffentlich verfügbar hilfreich nützlich relevant geplant gesendet
erhalten gewonnen genannt beschrieben markiert erkannt interessiert eilig zuständig ander inhaltlich
ausgewählt ausführlich schlicht sachlich bekannt älter ratsam wissenswert lesenswert
besprochen gesammelt
""",
    ("", "e", "en", "er", "es", "em"),
)
#: Common words. They are allowed because a model does not know the list of allowed words, and
#: would otherwise often use a word that is not on the list.
_GENERAL: Final = split_words("""
entdeckt entdeckte entdeckten entdecken erkundet erkundete erkunden weckt weckte weckten wecken
geweckt beschäftigt beschäftigte beschäftigten beschäftigen entschieden entscheidet entscheiden
beschließt beschloss beschlossen tut tat taten getan geschieht geschah geschehen passiert
passierte betrifft betraf betreffen betroffen hervorgehoben hervorheben hebt hob heben erzählt
erzählte erzählen schildert schilderte schildern geschildert skizziert skizzieren gliedert
gegliedert ordnet geordnet einordnen eingeordnet ausgespielt spielt gespielt spielte gezeichnet
zeichnen zeichnete gestaltet gestaltete gestalten betreut betreute betreuen pflegt pflegte pflegen
gepflegt verwaltet verwaltete begleiten unterstreicht unterstrich unterstreichen betont betonte
betonen verdeutlicht verdeutlichte verdeutlichen veranschaulicht veranschaulichen illustriert
illustrieren spiegelt spiegelte spiegeln widerspiegelt äußert äußerte äußern geäußert wirkt wirken
gilt galt gelten bezeichnet bezeichnete bezeichnen benennt benannte benennen benannt umschreibt
umreißt umrissen angibt angegeben angeben anzeigt angezeigt anzeigen aufweist aufgewiesen
aufweisen aufzeigt aufgezeigt ausmacht ausmachen ausgemacht einnimmt einnehmen eingenommen bekommt
bekam bekamen bekommen empfängt empfing empfangen übermittelt übermittelte übermitteln
weitergegeben vorliegt vorliegen lieferbar bereitstellt bereitstellen anbietet angeboten anbieten
ermöglicht ermöglichte ermöglichen gestattet eignet eignete eignen geeignet geeignete
empfehlenswert bedenken bedenkt überlegt überlegen nachlesen nachgelesen nachzulesen anschauen
ansehen angesehen betrachtenswert durchlesen durchsehen studieren studiert untersucht untersuchte
untersuchen analysiert analysierte analysieren bewertet interpretiert interpretieren verstehen
deuten deutet gedeutet herangezogen heranziehen vorstellen vorgestellt vorstellt einblick
einblicke einblicken sichtweise blickwinkel perspektive perspektiven gesichtspunkt merkmal
merkmale merkmalen kennzeichen aspekt aspekte aspekten baustein bausteine bausteinen faktum
tatsache tatsachen sachverhalt sachstand stichprobe gesamtbild gesamtschau gesamtsicht
bestandsaufnahme momentaufnahme kurzbericht bericht monatsbericht redaktionsteam redaktionsteams
social-media-team präsenz auftritt auftritts auftritte kanal kanals kanäle kanälen umfeld welt
markt branche dienst produkt produkte nutzer nutzern nutzers nutzerin besucher besuchern zuschauer
zuschauern betrachter betrachtern fans anhänger anhängern öffentlichkeit menschen leute leuten
personen verantwortliche verantwortlichen beteiligten geschäftsführung führungskräfte vorstand
abteilung auftraggeber ansprechpartner verfasser verfasserin herausgeber aufmerksam neugierig
aktiv zugewandt offen offene offenen offener sorgfältig vorsichtig vorsichtige vorsichtigen
zurückhaltend nüchtern neutral neutrale neutralen sachgerecht transparent transparente
transparenten ehrlich verständlich verständliche übersichtlich kompakt knapp knappe knappen bündig
nachvollziehbar nachvollziehbare überprüfbar überprüfbare messbar messbare zählbar beobachtbar
erkennbar erkennbare ersichtlich anschaulich aussagekräftig aufschlussreich lehrreich interessant
interessante interessanten bemerkenswert beachtenswert repräsentativ repräsentative
repräsentativer repräsentativen charakteristisch gewöhnlich gewöhnliche gewöhnlicher gewöhnlichen
gewohnt gewohnte gewohnten regulär reguläre regulären vorläufig vorläufige intern interne extern
externe fachlich praktisch praktische grafisch grafische tabellarisch schriftlich bildlich
thematisch thematische zeitlich zeitliche zeitlichen laufend laufenden aktuelle derzeit derzeitig
gegenwärtig heutig jeweilige maßgeblich maßgebliche zugrunde liegende liegenden zugrundeliegende
zugrundeliegenden einsehbar abrufbar lesbar greifbar da dabei hierzu hierbei hierfür hiermit daran
davon dahinter ansonsten überdies darüber weiterhin ferner schließlich abschließend eingangs vorab
einleitend nachfolgend anschließend gleichzeitig parallel gemeinsam gemeinsame gemeinsamen
miteinander etwas jemand niemand alles ungewöhnliches schnell schluss schlusswort zuerst zunächst
umgerechnet ausgedrückt entsprechende entsprechenden entsprechender demnach demzufolge somit
folglich farbe farben achse achsen balken punkt linie linien legende markierung markierungen feld
felder kachel kacheln kopfzeile fußzeile fußnote fußnoten verzeichnis inhaltsverzeichnis
""") - split_words("""
niemand alles weiterhin zuerst folglich demzufolge somit knapp knappe knappen darüber schnell punkt
zunächst hebt hob heben maßgeblich maßgebliche
""")
_PLAIN: Final = split_words("""
daneben timelines bekommt kommenden kommende solche solcher solchen fest verstanden versteht
verstehen schrieb geschrieben geschriebene denkt möchte möchten wollen will würdigt gewürdigt
verfolgt verfolgte verfolgten wahr wahrgenommen wahrnehmen begleitet begleitete begleiteten
befasst befassen behandelt behandelte behandelten handelt handeln bezieht beziehen bezogen fasst
fassen bildet bildete bilden stammt stammen stammte tragen fließen fließt dokumentiert
dokumentieren gespeichert aufgezeichnet erfasst erfasste erfassten erfassen ausgegeben abgebildet
bildet geprüft bestätigt bestätigte zitiert verweist verweisen verbindet verbunden kommuniziert
beteiligt beteiligen beteiligte öffentlich online sozial soziale sozialen digital digitale medien
netzwerk netzwerke netzwerken sprache stil format formate art arten kategorie seite seiten ort
orte moment raum nämlich formal technisch entsprechend betreffs hinsichtlich bezüglich anhand
mittels seitens grüße grüßen liebe geehrte guten überblick fazit ausblick rückblick kurzfassung
stichworte stichwort kern kernaussage kennwert kennwerte größe größen hilfe lesart woher wohin
heraus hervor sichtung durchsicht auswertung auswertungen erhebung erhebungen stichtag stichtags
ihre ihren ihrem ihr wofür sobald solange zugleich zeitgleich dafür veröffentlichungen verfügung
dialogs publikums leserschaft zielgruppe empfänger öffentlichkeit
""") | split_words("""
insgesamt zusammenfassend zusammengenommen gesagt direkt statistisch einzelnen zudem außerdem
ebenso ebenfalls hingegen wert gemäß laut belang aussehen besonders typischerweise üblicherweise
außerhalb einschließlich jeweils kürze mithin sodann
""")
_TOPICS: Final = {
    "impressions": split_words("""
impression impressionen sichtbarkeit sichtbar reichweite aufruf aufrufe aufrufen"""),
    "engagements": split_words("""
engagement engagements interaktion interaktionen interagiert interagierte interagierten
"""),
    "followers": split_words("""
follower followern followers abonnent abonnenten abonniert gefolgschaft"""),
    "audience": split_words("publikum publikums gemeinschaft"),
    "balance": split_words("saldo saldos bilanz zugänge zugängen abgänge abgängen"),
    "output": split_words("umfang umfangs veröffentlichung veröffentlichungen"),
    "frequency": split_words("häufigkeit frequenz rhythmus"),
    "typical": split_words("""
median typisch typische typischen typischer typisches typischerweise normal normale normalen
normaler üblich übliche üblichen üblicher übliches mitte"""),
    "mean": split_words("durchschnitt durchschnitts"),
    "comparison": split_words("""
vergleich vergleichs vergleiche vergleichen veränderung veränderungen änderung änderungen
unterschied unterschiede abweichung abweichungen"""),
    "unusual": split_words("""
ungewöhnlich ungewöhnliche ungewöhnlichen ungewöhnlicher auffälligkeit auffälligkeiten detektor
erwarteten außerhalb bewegung"""),
    "kinds": split_words("antwort antworten repost reposts likes klick klicks"),
    "finding": split_words("statistisch statistische statistischen statistischer belegen"),
}
GERMAN: Final = NarrationWords(
    allowed=frozenset(
        _FUNCTION_WORDS
        | _FEMININE_NOUNS
        | _NOUNS
        | _NOUN_FORMS
        | _VERBS
        | _ADJECTIVES
        | _PLAIN
        | _GENERAL
        | frozenset[str]().union(*_TOPICS.values())
    ),
    topics=_TOPICS,
    phrases=split_pairs("""
zeitraum davor, zeitraums davor, langen zeitraum, langen zeitraums, lange zeitraum, vielen dank,
nach zugängen, nach plan, dank für, x zählt, x meldet, x sie, hält fest, blieb aktiv, bleibt
aktiv, blieben aktiv, zog aufmerksamkeit, zieht aufmerksamkeit, aus früheren, früher
veröffentlichte, früher veröffentlichten, älteren beiträgen, follower abzüglich, abzüglich
verlorener, zugänge abzüglich, abzüglich abgänge,
auch wenn, fällt ein, umfasst nun, gesamte sichtbarkeit, gesamten zeitraum, gesamten
zeitraums, ganzen zeitraum, ganzen zeitraums, als ganzes, gleicher wochen, jeden alters, jede
kennzahl, jede grafik, jede tabelle, vollständigkeit halber, transparenz halber, darüber hinaus,
schnell erzählt, wieder aufgreifen, wieder aufgegriffen, erneut lesen, nach zugängen, nach
abgängen, nach angaben, nach definition, nächsten plan, nächsten seiten, nächsten abschnitt,
nächsten abschnitte, nach unserer"""),
    ranges=split_words("von zwischen"),
    receiving=split_words("""
gewann gewannen gewinnt gewinnen gewonnen erhielt erhielten erhält sammelt sammelte sammelten
gesammelt erzielt erzielte erzielten bekommt bekam
bekamen bekommen empfängt empfing empfangen verdient verdiente"""),
    publishing=split_words("""
veröffentlicht veröffentlichte veröffentlichten veröffentlichen gesendet sendet sendete sendeten
senden teilt teilte teilten geteilt"""),
    sources=split_words("von durch aus mit über bei auf an für unter innerhalb"),
    limits=split_words("über um unter ab vor ohne gegenüber"),
    heights=split_words("über um unter vor"),
    times=split_words("tag tage tagen tages woche wochen"),
    single=split_words("beitrag beitrags"),
    starts=split_words("beginn anfang anfangs begann beginnt beginnen begannen"),
    origins=split_words("durch über aus von"),
    causal=split_pairs("""
mit hilfe, auf grund, im zuge, als antwort, als reaktion, als ergebnis, im ergebnis, stammt von, stammen von, stammt aus, stammen aus"""),
    spans=split_words("tag tages woche"),
    causes=split_words("ursache ursachen grund grunds grundes gründe gründen"),
    joints=split_words("und während sowie aber"),
    negations=split_words("nicht kein keine keinen keinem keiner keines ohne"),
    accounts=split_words("account accounts konto kontos konten"),
    content=split_words("""
beitrag beiträge beiträgen beitrags text texte texten inhalt inhalte inhalten thema themen ton plan
redaktionsplan kalender redaktionskalender veröffentlichung veröffentlichungen artikel geschichte"""),
)
