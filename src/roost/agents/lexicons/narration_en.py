"""The English words that a narration may have."""

from typing import Final

from roost.agents.lexicons.narration import NarrationWords, inflect, split_pairs, split_words

_FUNCTION_WORDS: Final = split_words("""
a an the this that these those it its itself they their them themselves he his she her we our us
you your and or but while whereas who whom whose which what where how of in on at to for from with
within without by into among amongst across through throughout during along alongside beside besides
via about around over as also too together here there is are was were be been being has have had
having do does did can could may should not no nor although though whether any such own other
others please welcome thank
""")
_NOUNS: Final = inflect(
    """
account audience report reader client customer team brand agency editor company figure number
count total sum value result summary overview picture section chapter page table chart curve graph
list entry row column detail definition glossary description explanation note remark impression
engagement interaction reaction response reply repost click view follower subscriber post text
content subject topic theme tone message example reference plan schedule calendar rhythm cadence
volume output frequency rate median average period day time timeline measurement snapshot reading
data finding observation comparison change difference movement deviation pattern range band
interval signal detector check monitoring reason cause claim statement caution evidence test
attention visibility reach interest conversation dialogue newsroom marketing management member
person people partner colleague question answer inspiration follow-up contribution arrival
departure balance position basis distribution middle end close start head transparency
completeness collaboration review focus area element component item purpose method source
dashboard document presentation work project profile feed platform publication publishing release
article story piece author writer mention discussion feedback participation exchange relation
background context situation understanding insight information fact statistics statistic metric
measure indicator ledger annex appendix heading title headline line word sentence paragraph
interpretation conclusion assessment consideration recommendation suggestion proposal action
decision preparation planning following addition presence performance gain communication length
""",
    ("", "s", "'s", "’s"),
)
_NOUNS_IN_Y: Final = inflect(
    "activit anomal communit histor industr inquir propert stor summar tall categor entr",
    ("y", "ies", "y's", "y’s"),
) | split_words("analysis analyses")
_VERBS: Final = inflect(
    """
account amount add answer appear ask attract belong call check claim collect comprehend concern
confirm consider consist consult contain correspond count cover deliver detect discuss display
document end enjoy enter explain express flag follow gain gather highlight hint inform interact
interest list look mark mention monitor need note number offer open perform pick plan post present
print publish reach reflect regard register report represent respond result reveal select show sign
sort speak spread start suit sum summaris summariz support talk total turn view visit work address
attend return hold stand read subscrib learn obtain accompan attach clarify complement
""",
    ("", "s", "ed", "ing"),
)
_VERBS_IN_E: Final = inflect(
    """
acquir aris articulat calculat clos compil complet compos compris conclud contribut creat deriv
describ deserv distribut engag examin generat giv illustrat includ indicat introduc invit
issu mak measur nam notic observ outlin prepar produc propos provid receiv releas schedul serv
stat structur summaris summariz tabulat trac us interpret continu
""",
    ("e", "es", "ed", "ing"),
)
_IRREGULAR_VERBS: Final = split_words("""
made shared recorded earned earns earn summed summing stood brought bring brings drew draw draws
drawn came come comes coming went go goes gone gave given left leave leaves saw see sees seen sent
send sends sending said say says found find finds held took take takes taken wrote write writes
written began begin begins begun met meet meets put puts set sets supply supplies supplied study
studies studying carry carries carried subscribe subscribes identify identifies identified
published recommend recommends recommended allow allows allowed advise advised yield yields
yielded resulting
""")
#: Common words. They are allowed because a model does not know the list of allowed words, and
#: would otherwise often use a word that is not on the list.
_GENERAL: Final = split_words("""
discover discovers discovered explore explores explored capture captures captured choose chose
chosen chooses compares comparing testing tested back backs backed backing revisit revisited treat
treats treated occur occurs occurred occurring happen happens happened something someone anyone
everyone represented representative candidate live alert alerts easily easy footprint sit sits sat
equate equates translate translates translated convert converts converted eye catch catches caught
remain remains  beyond if else please consider considered worthwhile closing opening timing
nature essence core heart centrepiece centerpiece foundation framework structure structured
picture portrait profile scene stage setting landscape environment field domain world market
sector service product customers prospects stakeholders executive executives board director
lead-in management manager managers analyst analysts strategist writer editor's publisher
publishers creator creators fans fan visitors visitor users user viewers viewer public communities
crowd group groups member members attentive curious engaging active actively responsive receptive
thoughtful careful carefully cautious cautiously factual factually neutral neutrally sober plain
plainly straightforward transparent transparently honest honestly open openly mindful useful
helpful handy informative instructive telling illustrative indicative suggestive descriptive
tentative preliminary provisional formal informal official internal external online editorial
technical practical practically visual visually written textual contextual thematic overall
collective collectively combined respective jointly mutual shared mention mentions mentioned
mentioning tells tell told telling narrate narrates narrated recount recounts recounted relay
relays relayed convey conveys conveyed communicate communicates communicated express expresses
expressed articulate voiced phrase phrases phrased word worded underline underlines underlined
underscore underscores underscored emphasise emphasises emphasised emphasize emphasizes emphasized
stress stresses stressed feature features featured showcase showcases showcased display exhibit
exhibits exhibited demonstrate demonstrates demonstrated manifest manifests manifested surface
surfaces surfaced emerge emerges emerged arise arose arises translate evidence evidenced evident
apparent noticeable notice noticing perceive perceived perceives recognise recognised recognises
recognize recognized recognizes acknowledge acknowledged acknowledges appreciate appreciated
appreciates encounter encounters encountered experience experienced experiences witness witnessed
witnesses involve involved involves comprise incorporate incorporates incorporated embrace
embraces encompass encompasses encompassed span spans spanned account house houses host hosts
hosted carry deliver delivers bring supply offer offers afford lend lends lent grant grants
granted award awarded allocate allocated assign assigned attribute distribute devote devoted
dedicate dedicated direct directed guide guides guided inform shape shapes shaped frame frames
framed form forms formed constitute constitutes constituted make build builds built maintain
maintains maintained manage manages managed handle handles handled operate operates operated run
runs ran running conduct conducts conducted execute executes executed undertake undertook
undertaken pursue pursues pursued seek seeks sought try consider treat use utilise utilised
utilize utilized employ employs employed apply put place placed places position positioned locate
located situate situated arrange arranged arranges organise organised organize organized group
grouped sort sorted class classed classify classified classifies label labels labelled labeled tag
tagged tags describe characterise characterises characterised characterize characterizes
characterized sketch sketches sketched depict paint paints painted trace map maps mapped log
detail details detailed specify specifies specified itemise itemised itemize itemized break breaks
broken-out review reviewed reviews reviewing inspect inspects inspected scrutinise scan scans
scanned browse browsed browses glance skim consult check investigate investigated investigates
examine analyse analysed analyses analyze analyzed analyzes interpret evaluate evaluated evaluates
assess assessed assesses judge contextualise contextualize discussing reflect reflecting ponder
remember remind reminds reminded keep bear worth recommend suggests suggest suggested suggesting
propose encourage encourages encouraged invite hope hopes hoped trust wish wishes wished intend
intends intended mean meaning meanings signify signifies signified stand denote denotes denoted
imply implies implied correspond match matches matched fit fits fitted align aligns aligned accord
accords agree agrees agreed conform tie ties tied link-up associate associated associates
accompany accompanies accompanied go belong summary-wise briefly shortly concisely precisely
accurately properly duly partially here's that's it's what's we've we're you'll you're let's
there's accurate consistent coherent comprehensive thorough systematic orderly tidy compact dense
rich quiet lively calm routine customary habitual familiar recent recently current currently
contemporary ongoing continuous past present today's particular notable remarkable striking
eye-catching prominent distinctive characteristic specific special respective relevant pertinent
applicable attributable traceable verifiable checkable measurable countable observable available
obtainable reachable footnotes sidebar sidebars panel panels card cards tile tiles banner header
footer caption captions legend legends axis axes bar bars dot dots marker markers colour colours
color colors shading
""") - split_words("""
combined arise remains remain everyone broken-out breaks break span spans spanned customers recent
partially summary-wise link-up back backing recently today's keep ran running run lead-in judge past
ongoing continuous consistent rich class classed quiet lively calm remarkable striking crowd
""") | split_words("customers")
_PLAIN: Final = split_words("""
means meant shown know knows known defined defines define noted notes flagged flags fill fills
filled filling react reacts reacted reacting matter matters want wants wanted interrupt
interrupted inferred likes cannot written spoken understood understand understands seeing hear
hears heard think thinks feel feels try tries tried applied apply applies relate relates related
concerning based base focused focuses centre center centred centered covered worthy mind eye eyes
hands hand detailed reading readable attached printed charted plotted tabulated depicted depicts
depict logged logs log stored saved checked verified verify confirmed documented archived quoted
quote quotes cites cite cited refers refer referred connects connect connected engaged
communicated appeared shows arrived arrive arrives joined join joins followed following welcomed
invited engaged spent spend audience-facing publicly online social media digital web organic text
wording voice language style format formats type types kind kinds category side sides viewpoint
place places moment moments space room purposefully simply namely specifically notably formally
technically accordingly respectively including included regarding towards toward upon onto lets
let please dear hello regards sincerely kind at-a-glance takeaway takeaways highlight highlights
spotlight briefing recap outlook
""") | split_words("""
able active actual advisable attached available aware brief central certain clear clearly complete
completely concise correct current declared detailed direct directly editorial exact exactly
existing expected fair final general important included individual informative interested
interesting key known last main meaningful natural new newer older noteworthy open ordinary overall
particular personal plain possible present proper public readable regular regularly relevant
respective respectively responsible selected separate short simple simply social special
statistical statistically suitable typical typically underlying unusual usual usually useful valid
visible worth when then age ages aged hurry glance behalf according accordingly middle normal
sincerely
""")
_TOPICS: Final = {
    "impressions": split_words("""
impression impressions visibility visible reach reaches view views seen"""),
    "engagements": split_words("""
engagement engagements interaction interactions interacted
"""),
    "followers": split_words("follower followers subscriber subscribers subscribed"),
    "audience": split_words("audience community"),
    "balance": split_words("balance arrivals departures"),
    "output": split_words("output volume publishing publication publications"),
    "frequency": split_words("frequency rhythm cadence rate rates"),
    "typical": split_words("median typical typically normal usual usually ordinary middle"),
    "mean": split_words("average averages mean"),
    "comparison": split_words("""
relative comparison comparisons compared change changes difference differences deviation
deviations"""),
    "unusual": split_words(
        "unusual anomaly anomalies detector expected outside movement movements"
    ),
    "kinds": split_words("reply replies repost reposts likes clicks click"),
    "finding": split_words("statistical statistically evidence"),
}
ENGLISH: Final = NarrationWords(
    allowed=frozenset(
        _FUNCTION_WORDS
        | _NOUNS
        | _NOUNS_IN_Y
        | _VERBS
        | _VERBS_IN_E
        | _IRREGULAR_VERBS
        | _PLAIN
        | _GENERAL
        | frozenset[str]().union(*_TOPICS.values())
    ),
    topics=_TOPICS,
    phrases=split_pairs("""
period before, before it, same age, same weeks, cause remains, went live, same posts, same period,
same account, same figures, x reports, x counts, x counted, x reported, equal length, cannot be,
not be, stands out, stand out, stood out, went out, sum up, summed up, sums up, taken up, take up,
follow up, set against, measured against, against the, published earlier, earlier ones, earlier
posts, older ones, followers minus, minus lost, after arrivals, each figure, every
figure, single posts, under review, next plan, next plans, same picture, same section, same table,
kept publishing, keeps publishing, stayed active, stays active, next page, next pages, next
section, next sections, same post, same source, same data, same way, enough to, now has, whole period, entire
period, a whole, each definition, each
section"""),
    ranges=split_words("from between"),
    receiving=split_words("""
gain gains gained gaining collect collects collected collecting receive receives received receiving
attract attracts attracted draw draws drew drawn gather gathers gathered acquire acquires acquired
obtain obtains obtained earn earns earned win wins won"""),
    publishing=split_words("""
publish publishes published release releases released schedule schedules scheduled send sends sent
posted share shares shared issue issues issued"""),
    sources=split_words("from by across through via with among within of for into on"),
    limits=split_words("over about around like across without"),
    heights=split_words("over about around across like"),
    times=split_words("day days week weeks"),
    single=split_words("post post's post’s"),
    starts=split_words("start starts started beginning began begin begins"),
    origins=split_words("from by through via"),
    causal=split_pairs("""
on account, a result, response to, in view, means of, consideration of, light of, basis of,
contributed to, contributes to, answer to, credit to"""),
    spans=split_words("day week"),
    causes=split_words("cause causes reason reasons"),
    joints=split_words("and while whereas but"),
    negations=split_words("not no nor without cannot"),
    accounts=split_words("account account's account’s accounts"),
    content=split_words("""
post posts content text texts subject subjects topic topics theme themes tone schedule plan calendar
publishing publication publications article articles story stories"""),
)
