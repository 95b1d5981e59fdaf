"""The words by which code sees that it cannot decide what a sentence claims; in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from roost.agents.lexicons import phrases, words


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """Words of the grammar of one language, folded."""

    reader: frozenset[str]
    """Words that address the reader: `you`, `your`."""
    speaker: frozenset[str]
    """Words for the account that posts: `we`, `our`."""
    offers: frozenset[str]
    """Words that say what a reader gets, so that a sentence with them may claim something."""
    gifts: tuple[str, ...]
    """Regular expressions of the promise of a gift, which needs a fact as `free` does."""
    superlatives: tuple[str, ...]
    """Regular expressions of superlatives in a text that is not folded: `los más bajos`."""
    absolutes: tuple[frozenset[str], ...]
    """Groups of words that make a statement stronger than the fact may be: `every`, `always`."""
    exceptions: tuple[str, ...]
    """Regular expressions of what begins an exception: `except`."""
    restrictions: tuple[str, ...]
    """Regular expressions of what begins a restriction or a condition: `only`, `if`."""
    negations: tuple[str, ...]
    """Regular expressions of what denies: `not included`, `forbidden`."""
    indifference: tuple[str, ...]
    """Regular expressions of what says that something does not matter: `regardless`."""
    inclusions: tuple[str, ...]
    """Regular expressions of what says that a price has something in it: `included`."""
    exclusions: tuple[str, ...]
    """Regular expressions of what says that something costs extra: `on top`."""


QUALIFIERS: Final[Mapping[str, Qualifiers]] = {
    "en": Qualifiers(
        reader=words("you your yours yourself yourselves you're you'll you've you'd"),
        speaker=words("we us our ours ourselves we're we'll we've we'd i my me i'm i'll i've"),
        offers=words("""
            gets get receive receives win wins earn earns include includes included including saves
            provide provides guarantee guarantees offer offers
        """),
        gifts=phrases(r"""
            (?:gets?|receives?|(?:is|are) given|comes? with|take home|have) (?:[\w'-]+ ){0,3}(?:gifts?|presents?|freebies?)\b
            (?:gifts?|presents?|freebies?) (?:for|to) (?:each|every|all|you)\b
        """),
        superlatives=(r"\bthe (?:least|most) \w+",),
        absolutes=(
            words("every everyone everybody everything all any anyone anybody each entire"),
            words("always anytime whenever never ever"),
            words("promise promised promises definitely certainly surely flat"),
        ),
        exceptions=phrases(r"""
            except(?: for)?
            apart from
            other than
            excluding
            closed
        """),
        restrictions=phrases(r"""
            only
            unless
            if
            provided
            as long as
            subject to
            (?:anyone|those|people|visitors|members|everyone|donors|guests) who
            whoever
            members?
            must
            need to
            required?
            weather permitting
            while stocks last
        """),
        negations=phrases(r"""
            (?:is|are|was|were|do|does|did|can|could|will|would|has|have)? ?not
            cannot
            \w+n't
            no
            never
            none
            without
            forbidden
            prohibited
            banned
        """),
        indifference=(r"regardless|no matter|whether",),
        inclusions=(r"includ\w+",),
        exclusions=(r"extra|on top|separate(?:ly)?",),
    ),
    "de": Qualifiers(
        reader=words("""
            du dich dir dein deine deinen deinem deiner deines ihr euch euer eure euren eurem eurer
        """),
        speaker=words("wir uns unser unsere unseren unserem unserer ich mein meine"),
        offers=words("""
            bekommst bekommt bekommen erhalten erhältst erhält gewinnst gewinnt gewinnen sparst
            spart sparen inklusive enthalten bieten bietet schenken schenkt
        """),
        gifts=phrases(r"""
            (?:gibt es|gibt's|bekomm\w*|erhalt\w*|erhält\w*|wartet|schenken) (?:[\w'-]+ ){0,4}(?:geschenke?|präsente?)\b
            (?:geschenke?|präsente?) (?:für|wartet|gibt) (?:\w+ )?(?:alle|jede\w*|dich|euch|es)\b
        """),
        superlatives=(
            r"\b(?:der|die|das|den|dem) (?!erste|nächste|letzte|meiste|einzelste)[a-zäöüß]{3,}ste[nrms]?\b",
        ),
        absolutes=(
            words("alle allen alles aller jede jeden jedem jeder jedes überall"),
            words("jederzeit immer nie niemals stets ständig täglich"),
            words("versprochen versprechen bestimmt sicher definitiv"),
        ),
        exceptions=phrases(r"""
            außer
            ausgenommen
            geschlossen
            ruhetag
        """),
        restrictions=phrases(r"""
            nur
            wenn
            falls
            sofern
            wer
            mitglieder
            muss
            müssen
            solange
            vorausgesetzt
        """),
        negations=phrases(r"""
            nicht
            kein\w*
            nie
            ohne
            verboten
            untersagt
        """),
        indifference=(r"egal|unabhängig|gleich viel|ob",),
        inclusions=(r"enthalten|inklusive|inbegriffen",),
        exclusions=(r"dazu|zuzüglich|extra",),
    ),
    "es": Qualifiers(
        reader=words("""
            tú tu tus te ti contigo tuyo tuya tuyos tuyas vosotros vosotras vuestro vuestra
            vuestros vuestras os usted ustedes
        """),
        speaker=words("nosotros nosotras nuestro nuestra nuestros nuestras nos yo mi mis me"),
        offers=words("""
            recibes recibe reciben recibirás ganas gana ganan ganarás ahorras ahorra incluye incluido
            incluida ofrecemos ofrece regalamos regala
        """),
        gifts=phrases(r"""
            (?:hay|recib\w+|damos|espera\w*|llévate|llevas|tienes) (?:[\w'-]+ ){0,3}(?:regalos?|obsequios?)\b
            (?:regalos?|obsequios?) para (?:ti|todos|todas|cada)\b
        """),
        superlatives=(r"\b(?:el|la|los|las) (?:\w+ )?(?:más|menos) \w+",),
        absolutes=(
            words("cada toda todos todas cualquier cualquiera"),
            words("siempre nunca jamás"),
            words("prometido prometemos seguro segura"),
        ),
        exceptions=phrases(r"""
            excepto
            salvo
            menos
            cerrado\w*
            cerramos
        """),
        restrictions=phrases(r"""
            solo
            sólo
            solamente
            únicamente
            si
            quien(?:es)?
            socios
            debe\w*
            hay que
            antes de
            a menos que
            siempre que
        """),
        negations=phrases(r"""
            no
            nunca
            sin
            ningun[oa]?s?
            ninguno
            ninguna
            ningún
            nadie
            prohibid[oa]s?
        """),
        indifference=(r"da igual|sin importar|independientemente",),
        inclusions=(r"inclu\w+",),
        exclusions=(r"aparte|además|extra",),
    ),
    "fr": Qualifiers(
        reader=words("""
            vous votre vos tu te t toi ton ta tes vôtre vôtres
        """),
        speaker=words("nous notre nos on je mon ma mes"),
        offers=words("""
            recevez reçoit reçoivent recevrez gagnez gagne gagnent économisez inclus comprend offrons
            offre offrent
        """),
        gifts=phrases(r"""
            (?:recevez|reçoit|offrons|offre|avez|a droit à) (?:[\w'-]+ ){0,3}cadeaux?\b
            cadeaux? (?:[\w'-]+ )?(?:attend|offert|pour vous|pour chaque)
        """),
        superlatives=(r"\b(?:le|la|les) (?:plus|moins) \w+",),
        absolutes=(
            words("chaque toute tous toutes n'importe"),
            words("toujours jamais"),
            words("promis certainement sûrement"),
        ),
        exceptions=phrases(r"""
            sauf
            excepté
            hormis
            fermé\w*
        """),
        restrictions=phrases(r"""
            seulement
            uniquement
            si
            s'ils?
            ceux qui
            celui qui
            toute personne qui
            membres
            adhérents
            il faut
            doivent
            doit
            à condition
        """),
        negations=phrases(r"""
            pas
            jamais
            aucune?
            sans
            interdit\w*
        """),
        indifference=(r"quel(?:le)?s? que soi(?:t|ent)|peu importe",),
        inclusions=(r"compris\w*|inclus\w*",),
        exclusions=(r"en sus|à part|en plus|supplément",),
    ),
    "ja": Qualifiers(
        reader=words("あなた"),
        speaker=words("当店 私たち 弊社 わたしたち"),
        offers=words("差し上げ プレゼント もらえ 進呈"),
        gifts=(
            r"(?:贈り物|プレゼント|粗品|特典)(?:が(?:あり|もらえ|付)|を(?:差し上げ|進呈|プレゼント))",
        ),
        superlatives=(r"(?:一番|最も)",),
        absolutes=(
            words("全て すべて 誰でも どなたでも"),
            words("いつでも 毎日 いつも"),
            words("必ず"),
        ),
        exceptions=phrases(r"""
            以外
            を除
            休
        """),
        restrictions=phrases(r"""
            のみ
            だけ
            に限
            場合
            会員
            必要
            事前
            要予約
        """),
        negations=phrases(r"""
            ません
            ない
            なし
            不可
            禁止
            遠慮
        """),
        indifference=(r"にかかわらず|問わず",),
        inclusions=(r"込み?|含み|付き",),
        exclusions=(r"別途?|追加",),
    ),
}
