"""Nouns that may replace each other after a number: eight `people` take eight `places`."""

from collections.abc import Mapping
from typing import Final

from roost.agents.lexicons import words

#: By language, groups of nouns. After a number, a draft may use any noun of a group in place of
#: another noun of the group. The first group has the words for people, and for the places that
#: people take: one place for each person.
COUNTED_ALIKE: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    "en": (
        words("""
            people persons person guests visitors participants attendees learners students pupils
            beginners members customers clients patients passengers diners eaters players readers
            listeners viewers fans residents colleagues friends folks humans adults kids children
            places seats spots spaces
        """),
        words("shops stores boutiques"),
        words("games matches fixtures"),
        words("kinds types sorts varieties flavours flavors styles"),
        words("homes households families houses"),
        words("flats apartments homes units"),
        words("lessons classes sessions courses workshops"),
        words("books titles volumes"),
        words("films movies titles features"),
        words("pictures photos photographs images shots"),
        words("songs tracks tunes"),
        words("jobs positions posts vacancies openings roles"),
        words("staff employees workers colleagues people"),
        words("objects items pieces exhibits finds things"),
        words("languages tongues"),
        words("buses coaches vehicles"),
        words("routes lines services"),
        words("dishes courses plates"),
        words("scholarships grants bursaries awards places"),
        words("volunteers helpers people"),
    ),
    "de": (
        words("""
            menschen personen leute gäste besucher besucherinnen teilnehmer teilnehmerinnen
            teilnehmende schüler schülerinnen studierende mitglieder kunden kundinnen patienten
            patientinnen fahrgäste esser spieler leser leserinnen zuhörer fans kinder erwachsene
            köpfe plätze plätzen sitzplätze stühle personen freunde
        """),
        words("läden geschäfte"),
        words("spiele partien spielen matches"),
        words("sorten arten varianten"),
        words("haushalte wohnungen familien"),
        words("kurse stunden einheiten termine lektionen"),
        words("bücher titel bände büchern titeln"),
        words("filme titel filmen"),
        words("bilder fotos aufnahmen fotografien"),
        words("lieder stücke songs"),
        words("stellen jobs positionen"),
        words("mitarbeiter mitarbeitende angestellte beschäftigte kollegen leute menschen"),
        words("objekte stücke exponate gegenstände"),
        words("gerichte speisen gänge"),
        words("zutaten rohstoffe"),
        words("reben rebstöcke"),
    ),
    "es": (
        words("""
            personas gente invitados visitantes participantes asistentes estudiantes alumnos alumnas
            socios socias clientes pacientes pasajeros comensales jugadores lectores oyentes niños
            adultos amigos plazas asientos butacas sillas sitios
        """),
        words("tiendas locales establecimientos"),
        words("partidos encuentros juegos"),
        words("tipos clases variedades sabores"),
        words("hogares viviendas familias casas pisos"),
        words("clases sesiones cursos talleres lecciones"),
        words("libros títulos volúmenes ejemplares"),
        words("películas títulos filmes largometrajes"),
        words("fotos fotografías imágenes"),
        words("canciones temas"),
        words("puestos empleos plazas vacantes"),
        words("becas ayudas plazas"),
        words("meses mensualidades"),
        words("platos recetas"),
        words("objetos piezas obras"),
        words("máquinas aparatos equipos"),
        words("jornadas días"),
    ),
    "fr": (
        words("""
            personnes gens invités visiteurs visiteuses participants participantes convives élèves
            étudiants membres clients patients passagers voyageurs joueurs lecteurs lectrices
            auditeurs enfants adultes amis gourmands places sièges chaises fauteuils
        """),
        words("boutiques magasins"),
        words("matchs rencontres parties jeux"),
        words("sortes types variétés espèces parfums"),
        words("foyers ménages familles logements"),
        words("cours séances leçons ateliers stages"),
        words("livres titres volumes ouvrages documents"),
        words("films titres longs-métrages"),
        words("photos photographies images clichés"),
        words("chansons morceaux titres"),
        words("postes emplois"),
        words("plats recettes"),
        words("objets pièces œuvres"),
        words("bus véhicules cars"),
        words("lignes trajets parcours"),
        words("prêts emprunts"),
    ),
}
#: Words such as `each`: if each of 100 homes gets a bin, a draft may also count 100 bins.
DISTRIBUTIVES: Final = words(
    """each every jede jeder jedes jedem jeden je pro cada chaque chacun chacune per"""
)
