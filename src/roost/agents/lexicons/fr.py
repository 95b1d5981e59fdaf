"""The words of French."""

from typing import Final

from roost.agents.lexicons import Lexicon, phrases, words
from roost.agents.lexicons.numerals import NUMERALS

_MONTHS: Final = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
_DAYS: Final = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]

LEXICON: Final = Lexicon(
    code="fr",
    stopwords=words("""
        le la les l un une des du de d à au aux en dans par pour avec sans sous sur entre vers chez
        jusque jusqu depuis pendant avant après et ou mais donc or ni car que qu qui quoi dont où
        quand comme si lorsque parce puisque tandis je j tu il elle on nous vous ils elles me m te
        t se s lui leur leurs moi toi soi eux mon ma mes ton ta tes son sa ses notre nos votre vos
        ce c cet cette ces cela ça ceci celui celle ceux celles quel quelle quels quelles chaque
        tout toute tous toutes autre autres même mêmes plus moins très trop aussi encore déjà
        toujours bien peu beaucoup assez ainsi alors ici là y est sont était étaient être êtes
        sommes suis es été a ont avons avez ai as avait avoir fait font faire faites fais va vont
        allons allez aller vient viennent venir venez viens peut peuvent pouvez pouvons peux
        pouvoir doit doivent devez devoir faut prend prendre prenez voir voyez voici voilà
        aujourd hui maintenant bientôt près loin puis ensuite n ne lors dès via
    """),
    neutral=words("""
        bonjour salut bienvenue merci plaît visitez visiter visite venez réservez réserver
        réservation lisez lire découvrez découvrir apprenez plus infos info informations détails
        lien dessous page site père noël pâques ligne question questions réponse jour jours journée semaine soir
        soirée matin nuit année temps moment gens personnes amis famille clients visiteurs équipe
        lieu endroit maison porte portes prêt prêts conseil conseils idée idées aide aider aidons
        vaut peine attendre attend attendons attendez bon bonne bons bonnes nouveau nouvelle
        nouveaux petit petite grand grande ouvre ouvrent ouvrons ouvert ouverte ouvrir ferme ferment
        fermons coûte coûtent prix payer dure commence commencent termine apportez apporter envoyez
        envoyer écrivez appelez appeler demandez pensez penser notez noter savoir savez frais
        fraîche facile rapide inclus incluse comprend compris comprise disponible trouvez trouver
        prévoir prévoyez envie rendez passez passer partagez rappel
    """),
    strict=words("""
        meilleur meilleure meilleurs meilleures leader primé primée récompensé garanti garantie
        garanties certifié certifiée prouvé officiel officielle exclusif exclusive gratuit gratuite
        gratuits gratuites gratuitement réduction réductions rabais solde soldes promotion illimité
        illimitée instantané hier demain double douzaine douzaines centaines milliers
        millions unique imbattable inégalé remboursement remboursé guérit gagnant parfait parfaite
        révolutionnaire bio biologique végan artisanal breveté approuvé agréé
    """),
    synonyms=(
        words("gratuit gratuite gratuits gratuites gratuitement offert offerte"),
        words("réduction réductions rabais solde soldes promotion remise"),
        words("garanti garantie garanties"),
        words("bio biologique"),
        words("artisanal artisanale artisan artisans"),
    ),
    antonyms=(
        ("ouvert", "fermé"), ("ouverte", "fermée"), ("ouvre", "ferme"), ("ouvrons", "fermons"),
        ("inclus", "exclu"), ("gratuit", "payant"), ("autorisé", "interdit"),
        ("minimum", "maximum"), ("toujours", "jamais"),
        ("possible", "impossible"), ("monte", "baisse"),
    ),
    negations=words("interdit interdite interdits interdites pas jamais sans aucun aucune rien personne non ni zéro"),
    negation_idioms=phrases(r"""
        ne (?:manquez|ratez|tardez|manque|rate) (?:pas|jamais)\b
        n'(?:oubliez|hésitez|attendez|oublie|hésite) (?:pas|jamais)\b
        pas (?:de souci|de panique|de problème|à pas|mal)\b
        pourquoi pas\b
        (?:dirons|dirai|dira|disons|dis) pas non\b
        non (?:seulement|loin)\b
        sans (?:doute|hésiter|attendre|tarder|plus attendre)\b
        aucun (?:souci|doute|problème)\b
        n'est-ce pas\b
        (?:ne |n')(?=[^.!?]{0,30}\b(?:que|qu')\b)
        pas avant\b
        pas (?:plus|moins) d[e']
        rien que\b
        personnes?\b(?=[^.!?]{0,3}(?:\d|$|,))
        (?:une|la|par|chaque|toute) personne\b
    """),
    equivalents=(
        ('gratuit gratuite gratuits gratuitement inclus incluse compris', r"\bsans (?:frais|supplément|coût)\b|\bne (?:\w+ )?(?:coûte|coûtent|payez|paie|paient|payent) (?:rien|pas)(?: du tout)?(?: d'entrée)?\b|\bsans (?:rien )?payer\b|\brien du tout\b|\brien à payer\b"),
    ),
    numbers=NUMERALS["fr"],
    denied_claims=words("""
        frais supplément contrat engagement abonnement caution dépôt réservation rendez-vous
        inscription expérience ordonnance conservateurs additifs sucre gluten alcool plastique
        publicité pub  limite minimum  obligation
    """),
    instead=(r"\b(?:au lieu d[e']|plutôt qu(?:e |')|à la place d[eu'])",),
    conditions=(r"si|s'il|s'ils|à moins|sauf si|en cas",),
    strict_idioms=phrases(r"""
        (?:meilleur|meilleure|meilleurs|meilleures) (?:ami\w*|amies?|vœux|souvenirs?|moitié)
        une (?:demi-)?douzaine|au mieux|parfait(?:e|s|es)? pour
    """),
    months={name: number for number, name in enumerate(_MONTHS, 1)},
    weekdays={name: number for number, name in enumerate(_DAYS, 1)}
    | {f"{name}s": number for number, name in enumerate(_DAYS, 1)},
    units={
        "h": "heure", "heures": "heure", "heure": "heure", "seconde": "second",
        "secondes": "second", "minute": "minute", "minutes": "minute", "min": "minute",
        "jour": "day", "jours": "day", "nuit": "night", "nuits": "night", "nuitée": "night",
        "semaine": "week", "semaines": "week", "mois": "month", "an": "year", "ans": "year",
        "année": "year", "années": "year", "euro": "eur", "euros": "eur", "centime": "cent",
        "centimes": "cent", "dollar": "usd", "dollars": "usd", "franc": "chf", "francs": "chf",
        "livre": "livre", "livres": "livre", "yen": "jpy", "yens": "jpy", "mm": "mm", "cm": "cm",
        "m": "m", "mètre": "m", "mètres": "m", "km": "km", "kilomètre": "km",
        "kilomètres": "km", "g": "g", "gramme": "g", "grammes": "g", "kg": "kg", "kilo": "kg",
        "kilos": "kg", "ml": "ml", "cl": "cl", "l": "l", "litre": "l", "litres": "l",
        "degré": "degree", "degrés": "degree", "kcal": "kcal",
        "kilocalories": "kcal", "calories": "kcal", "millilitres": "ml", "centilitres": "cl",
        "centimètres": "cm", "millimètres": "mm", "kilogrammes": "kg", "gigaoctets": "go",
        "mégaoctets": "mo", "kwh": "kwh", "kw": "kw", "cent": "hundred",
        "mille": "thousand", "million": "million", "millions": "million",
        "milliard": "billion", "milliards": "billion", "fois": "times",
    },
    cliches=phrases("""
        au niveau supérieur
        dans le monde d'aujourd'hui
        dans un monde en constante évolution
        plongez dans
        plongez au cœur
        libérez le potentiel
        libérez votre potentiel
        révolutionnez
        ne cherchez plus
        dites adieu à
        comme jamais auparavant
        le guide ultime
        ravis d'annoncer
        qu'attendez-vous
        embarquez pour
        incontournable
        sans couture
        véritable écrin
    """),
    reasoning=phrases(r"""
        \bvoici (?:le|la|les|un|une|mon|votre|ton|des)\b[^.!?\n]{0,40}\b(?:tweets?|posts?|publications?|brouillons?|versions?|variantes?|propositions?|json|réponse)\b
        ^(?:bien sûr|certainement|avec plaisir|d'accord)[ !,.:]+(?:voici|je|j')
        \ben tant qu'ia\b
        \bmodèle de langage\b
        \bj'ai (?:réécrit|raccourci|corrigé|révisé)\b
        \bje ne peux pas (?:vous )?(?:aider|répondre|écrire|générer)\b
        ^(?:tweet|post|publication|brouillon|option|variante|version|réponse|corrigé|final|raisonnement|sortie)(?: ?\d+)? ?:
        \blimite de caractères\b
        \b\d+ caractères\b
        \bl'utilisateur (?:veut|demande|dit)\b
        \b(?:le|du|au|ce|votre|ton) (?:brief|briefing|prompt)\b
        \b(?:un|le|ce|mon|votre|ton|premier|nouveau) brouillon\b
        \b(?:quels|ces|lesquels des) faits\b
        ^(?:d'abord|tout d'abord|maintenant|ensuite|puis|premièrement|bon|alors|voyons)[,:]? (?:je (?:pense|réfléchis|vérifie|choisis|cherche|compte|regarde|sélectionne|décide|dois|vais)|j'(?:écris|examine))\b
        \bje (?:réfléchis|dois réfléchir|vais réfléchir)\b
        \bje (?:vérifie|choisis|sélectionne|cherche|décide|compte|dois (?:choisir|vérifier))(?: \S+)? (?:quels?|quelles?|lesquels|combien|si|(?:les |des |aux )?faits)\b
        ^(?:laissez-moi|laisse-moi) (?:réfléchir|vérifier|voir|écrire)\b
    """),
    at_least=phrases("""
        à partir de
        au moins
        plus de
        minimum
        au minimum
        pas moins de
    """),
    at_most=phrases("""
        jusqu à
        moins de
        au plus
        pas plus de
        maximum
        au maximum
        maximum de
    """),
    connectives=words("""
        et mais ou car donc il elle ils elles ce cela ça ceci cette aussi puis ensuite alors
        cependant pourtant ainsi
    """),
    suffixes=("ations", "ation", "ements", "ement", "ants", "ant", "ons", "ent", "ées", "ée",
              "és", "ez", "er", "ir", "é", "es", "e", "s", "x"),
    elisions=words("l d j t s m n c qu jusqu lorsqu puisqu aujourd"),
)  # fmt: skip
