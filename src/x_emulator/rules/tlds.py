"""The top-level domains that make X link a domain without a protocol.

The list has the country codes and other common top-level domains. It was written for the emulator,
while Roost uses the official lists. If a domain is missing in one of the lists, the results of
Roost and the emulator therefore differ, and tests can detect the mistake.
"""

_COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv
bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es
et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu
id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt
lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no
np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si
sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk
us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""
_GENERIC = """
com org net edu gov mil int info biz name pro aero asia cat coop jobs mobi museum post tel travel
xxx arpa app dev page web new zip mov foo dad day phd prof nexus meme ing academy accountant actor
adult agency airforce apartments archi army art associates attorney auction audio auto autos
baby band bank bar bargains beauty beer best bet bible bid bike bingo bio black blog blue boats
book bot boutique box broker build builders business buzz cab cafe cam camera camp capital car
cards care career careers cars casa cash casino catering center ceo charity chat cheap church city
claims cleaning click clinic clothing cloud club coach codes coffee college community company
computer condos construction consulting contact contractors cooking cool country coupons courses
credit creditcard cricket cruises dance data date dating deals degree delivery democrat dental
dentist design diamonds diet digital direct directory discount doctor dog domains download earth
education email energy engineer engineering enterprises equipment estate eus events exchange expert
exposed express fail faith family fan fans farm fashion feedback film finance financial fish
fishing fit fitness flights florist flowers football forsale forum foundation fun fund furniture
futbol fyi gallery game games garden gay gift gifts gives giving glass global gmbh gold golf
graphics gratis green gripe group guide guitars guru hair haus health healthcare help hiphop hiv
hockey holdings holiday homes horse hospital host hosting house how icu immo inc industries ink
institute insurance insure international investments irish jetzt jewelry juegos kaufen kim kitchen
kiwi land law lawyer lease legal lgbt life lighting limited limo link live llc loan loans lol
london love ltd luxury maison makeup management market marketing markets mba media melbourne
memorial men menu miami moda moe mom money monster mortgage moscow motorcycles movie music navy
network news ngo ninja now nyc observer one onl online ooo organic paris partners parts party pet
pets pharmacy phone photo photography photos physio pics pictures pid pink pizza place plumbing
plus poker porn press productions promo properties property pub quebec quest racing radio realty
recipes red rehab reise reisen rent rentals repair report republican rest restaurant review reviews
rich rip rocks rodeo run sale salon sarl school schule science scot security select services sex
sexy shiksha shoes shop shopping show singles site ski skin soccer social software solar solutions
soy space sport spot store storage stream studio study style sucks supplies supply support surf
surgery swiss sydney systems tatar tattoo tax taxi team tech technology tennis theater theatre
tickets tienda tips tires today tokyo tools top tours town toys trade trading training tube
university uno vacations vegas ventures vet viajes video villas vin vip vision vodka vote voting
voyage wales watch weather webcam website wed wedding wiki win wine work works world wtf xyz yachts
yoga yokohama zone google youtube gmail amazon apple microsoft aws bbc bmw sky sbs
"""

TOP_LEVEL_DOMAINS = frozenset(_COUNTRIES.split()) | frozenset(_GENERIC.split())
