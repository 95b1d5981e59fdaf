"""The words of Spanish."""

from typing import Final

from roost.agents.lexicons import Lexicon, phrases, words
from roost.agents.lexicons.numerals import NUMERALS

_MONTHS: Final = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
_DAYS: Final = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]

LEXICON: Final = Lexicon(
    code="es",
    stopwords=words("""
        el la los las lo un una unos unas al del de a en con por para sin sobre entre hasta desde
        hacia tras durante según y e o u pero sino que como si cuando donde porque aunque mientras
        ni también ya más menos muy tan tanto yo tú él ella nosotros nosotras vosotros ellos ellas
        usted ustedes me te se nos os le les mi tu su mis tus sus nuestro nuestra nuestros nuestras
        vuestro vuestra este esta estos estas ese esa esos esas aquel aquella esto eso quien quién
        qué cuál cuándo dónde cómo cuánto cada todo toda todos todas otro otra otros otras mismo
        misma es son era eran fue fueron ser está están estaba estar hay haber ha han he hemos
        había tiene tienen tenemos tienes tener puede pueden puedes podemos poder debe deben hacer
        hace hacen haz va van vamos ir ven venir ven viene vienen da dan dar ver ve verás así aquí
        allí ahora hoy siempre luego después antes solo sólo bien algo alguien alguna alguno algún
        sí pues casi además cerca lejos dentro fuera vez veces
    """),
    neutral=words("""
        hola bienvenidos bienvenido bienvenida gracias favor visita visítanos visitar ven venid
        reserva reservar reservas lee leer descubre descubrir conoce conocer más info información
        detalles enlace abajo página web online navidad reyes magos papá noel pregunta preguntas respuesta día días semana noche
        tarde mañana año tiempo momento gente personas amigos familia clientes visitantes equipo
        lugar sitio casa puerta puertas listo lista consejo idea ideas ayuda ayudar ayudamos vale
        pena esperar espera esperamos buen buena bueno buenas buenos nuevo nueva pequeño grande
        abre abren abrimos abierto abierta abrir cierra cierran cerramos cuesta cuestan precio pagar
        cuestan dura empieza comienza termina trae traer lleva llevar envía envíanos escríbenos
        escribe llama llamar llámanos pide pedir recuerda recordar saber sabías fresco fresca
        frescos recién fácil rápido incluido incluida incluye disponible encuentra encontrar
        planear quieres queremos gusta ganas toca prueba pruébalo
        pruébala pruébalos pruébalas probar
    """),
    strict=words("""
        mejor mejores barato baratos más-barato líder líderes premiado premiada galardonado
        garantizado garantizada garantía certificado certificada oficial exclusivo
        exclusiva gratis gratuito gratuita gratuitos descuento descuentos rebaja rebajas oferta
        ilimitado ilimitada instantáneo ayer doble docena docenas cientos miles
        millones único inigualable insuperable reembolso cura ganador ganadora perfecto perfecta
        revolucionario orgánico ecológico vegano artesanal patentado aprobado acreditado ciento
    """),
    synonyms=(
        words("gratis gratuito gratuita gratuitos gratuitas"),
        words("descuento descuentos rebaja rebajas oferta rebajado"),
        words("garantía garantizado garantizada"),
        words("artesanal artesano artesana artesanos"),
        words("ecológico ecológica orgánico orgánica"),
    ),
    antonyms=(
        ("abierto", "cerrado"), ("abierta", "cerrada"), ("abre", "cierra"), ("abrimos", "cerramos"),
        ("incluido", "excluido"), ("incluida", "excluida"), ("permitido", "prohibido"),
        ("mínimo", "máximo"), ("sube", "baja"), ("siempre", "nunca"),
        ("posible", "imposible"),
    ),
    negations=words("prohibido prohibida prohibidos prohibidas no cero nunca jamás sin ningún ninguna ninguno nada nadie tampoco ni"),
    negation_idioms=phrases(r"""
        no (?:te|os|se) (?:lo|la|los|las)? ?(?:pierdas?|perdáis|pierdan)\b
        no (?:lo )?(?:olvides?|olvidéis|olviden|dudes?|dudéis|duden|esperes?|esperéis)\b
        no (?:solo|sólo)\b
        por qué no\b
        no (?:te |le |les |os )?(?:diremos|decimos|digo|diré) que no\b
        sin (?:duda|embargo|falta|prisas?)\b
        no hay (?:problema|prisa|excusas?)\b
        ¿no\?
        no (?=\w+ (?:\w+ )?hasta\b)
        no (?:más|menos) de\b
        nada más\b
    """),
    equivalents=(
        ('gratis gratuito gratuita gratuitos incluido incluida', r"\bsin (?:ningún )?(?:coste|costo|cargo|recargo)\b|\bsin pagar(?: (?:nada|entrada|un euro|un céntimo))?\b|\bno (?:\w+ )?(?:cuesta|cuestan|pagas?|pagan|pagáis) ?(?:nada|un euro|un céntimo|entrada)?\b|\bnada de nada\b"),
    ),
    numbers=NUMERALS["es"],
    denied_claims=words("""
        cargo cargos cuota cuotas contrato permanencia suscripción fianza depósito reserva cita
        registro inscripción experiencia receta conservantes aditivos azúcar gluten alcohol plástico
        anuncios publicidad límite límites mínimo compromiso
    """),
    instead=(r"\b(?:en lugar de|en vez de)",),
    conditions=(r"si|a menos que|salvo que|en caso de",),
    strict_idioms=phrases(r"""
        (?<!\bel )(?<!\bla )(?<!\blo )(?<!\blos )(?<!\blas )(?<!\bsu )(?<!\bmi )(?<!nuestro )(?<!nuestra )\bmejor\b(?=[,.!]|$)
        (?:media|una) docena|a lo mejor|(?:mejores|mejor) (?:amig[oa]s?|deseos|vida)|lo mejor (?:es|de todo|viene)
        mejor (?:tarde|prevenir|temprano|con|en compañía)|perfect[oa] para
    """),
    months={name: number for number, name in enumerate(_MONTHS, 1)} | {"setiembre": 9},
    weekdays={name: number for number, name in enumerate(_DAYS, 1)}
    | {"sábados": 6, "domingos": 7, "miercoles": 3, "sabado": 6},
    units={
        "h": "heure", "horas": "heure", "hora": "heure", "am": "am", "pm": "pm",
        "segundo": "second", "segundos": "second", "minuto": "minute", "minutos": "minute",
        "min": "minute", "día": "day", "días": "day", "noche": "night", "noches": "night",
        "semana": "week", "semanas": "week", "mes": "month", "meses": "month", "año": "year",
        "años": "year", "euro": "eur", "euros": "eur", "céntimo": "cent", "céntimos": "cent",
        "dólar": "usd", "dólares": "usd", "peso": "peso", "pesos": "peso", "libra": "gbp",
        "libras": "gbp", "yen": "jpy", "yenes": "jpy", "mm": "mm", "cm": "cm", "m": "m",
        "metro": "m", "metros": "m", "km": "km", "kilómetro": "km", "kilómetros": "km",
        "g": "g", "gramo": "g", "gramos": "g", "kg": "kg", "kilo": "kg", "kilos": "kg",
        "ml": "ml", "l": "l", "litro": "l", "litros": "l", "grado": "degree",
        "grados": "degree", "kcal": "kcal", "kilocalorías": "kcal",
        "calorías": "kcal", "mililitros": "ml", "centímetros": "cm", "milímetros": "mm",
        "gigabytes": "gb", "megabytes": "mb", "kilogramo": "kg", "kilogramos": "kg", "kwh": "kwh", "kw": "kw", "cien": "hundred", "mil": "thousand",
        "millón": "million", "millones": "million", "veces": "times", "vez": "times",
    },
    cliches=phrases("""
        al siguiente nivel
        en el mundo actual
        en el acelerado mundo
        sumérgete en
        descubre el poder
        desata todo tu potencial
        libera tu potencial
        revoluciona tu
        no busques más
        di adiós a
        como nunca antes
        la guía definitiva
        emocionados de anunciar
        embárcate en
        qué esperas
        a qué esperas
        te dejará sin aliento
        sin fisuras
    """),
    reasoning=phrases(r"""
        \baquí (?:tienes|está|están|va|van)\b[^.!?\n]{0,40}\b(?:tuits?|tweets?|publicación|publicaciones|borrador|versión|opción|opciones|json|posts?)\b
        ^(?:claro|por supuesto|desde luego)[!,.:]+ (?:aquí|te|este)
        \bcomo (?:una )?(?:ia|inteligencia artificial|modelo de lenguaje)\b
        \bhe (?:reescrito|acortado|corregido|revisado)\b
        \bno puedo (?:ayudar|cumplir|escribir|generar)\b
        ^(?:tuit|tweet|post|publicación|borrador|opción|variante|versión|respuesta|corregido|final|razonamiento|salida)(?: ?\d+)?:
        \blímite de caracteres\b
        \b\d+ caracteres\b
        \bel (?:usuario|prompt) (?:quiere|pide|dice)\b
        \b(?:el|del|al|este|tu|su) (?:brief|briefing|prompt)\b
        \b(?:un|el|este|mi|tu|su|primer|nuevo) borrador\b
        \b(?:qué|cuáles|estos|los siguientes) hechos\b
        ^(?:primero|ahora|luego|después|bueno|vale|a ver)[,:]? (?:yo )?(?:pienso|compruebo|reviso|elijo|escojo|busco|cuento|miro|veo|escribo|decido|debo|tengo que|voy a)\b
        \b(?:pienso|compruebo|reviso|elijo|escojo|decido|debo (?:pensar|elegir|revisar))(?: \w+)? (?:en )?(?:qué|cuáles?|cuántos?|si|los hechos)\b
        ^(?:déjame|permíteme) (?:pensar|revisar|ver|escribir)\b
    """),
    at_least=phrases("""
        al menos
        más de
        a partir de
        como mínimo
        mínimo
        mínimo de
        por lo menos
        no menos de
    """),
    at_most=phrases("""
        hasta
        menos de
        como máximo
        máximo
        máximo de
        a lo sumo
        no más de
    """),
    connectives=words("""
        y pero o porque este esta esto eso ese esa ellos ellas además también entonces así luego
        sin embargo por pues aunque
    """),
    suffixes=("aciones", "ación", "amos", "emos", "imos", "ando", "iendo", "ados", "adas", "ado",
              "ada", "idos", "idas", "ido", "ida", "ar", "er", "ir", "os", "as", "es", "an", "en",
              "a", "o", "e", "s"),
)  # fmt: skip
