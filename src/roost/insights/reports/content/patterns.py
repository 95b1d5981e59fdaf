"""The sections about properties of posts: groups, hours, decay and comparisons."""

from roost.insights.reports.content.figure_tables import drop_empty_columns, number_column
from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.document import Block, Column, Section, Table, Text
from roost.insights.reports.model import Breakdown, Dimension, Effect

_GROUP_FIGURES = (
    "posts",
    "mean_impressions",
    "median_impressions",
    "mean_engagements",
    "median_engagements",
    "rate",
)


def describe_groups(content: SubjectContent) -> tuple[Section, ...]:
    """Return the section with the posts by type, length, link, hashtag and media.

    A property that all posts share is left out, because its figures are those of all posts. With
    many accounts, pages have one property only; the comparisons of posts cover the others.
    """
    breakdowns = [each for each in content.numbers.breakdowns if len(each.rows) > 1]
    if not breakdowns:
        return ()
    shown = breakdowns[:1] if content.has_many_accounts else breakdowns
    has_lengths = any(each.dimension is Dimension.LENGTH for each in shown)
    section = content.section(
        "groups",
        content.note("groups.meaning"),
        *(_table_group(content, each, is_shown=each in shown) for each in breakdowns),
        *([content.note("groups.length")] if has_lengths else []),
    )
    return (section,)


def describe_hours(content: SubjectContent) -> tuple[Section, ...]:
    """Return the section with the posts by hour and weekday.

    The labels of the chart have the numbers of the table, so pages leave the table out.
    """
    words = content.words
    if not content.numbers.hours:
        return ()
    columns = (
        content.column("weekday"),
        content.column("hour"),
        number_column(words.say("column.posts")),
        number_column(words.say("column.median_impressions")),
    )
    rows = tuple(
        (
            (words.weekday(each.weekday),),
            (words.hour(each.hour),),
            (words.figure(each.posts),),
            (words.figure(each.median_impressions),),
        )
        for each in content.numbers.hours
    )
    charts = content.charts("hours")
    section = content.section(
        "hours",
        content.note("hours.meaning", zone=content.report.periods.current.zone.key),
        *charts,
        Table(
            content.name("hours"),
            words.say("table.hours"),
            columns,
            rows,
            shown_rows=0 if charts else None,
        ),
    )
    return (section,)


def describe_decay(content: SubjectContent) -> Section:
    """Return the section about how the impressions of posts approach their final number."""
    words, decay = content.words, content.numbers.decay
    posts = words.plural("count.posts", decay.posts)
    if not decay.points:
        return content.section("decay", content.paragraph("decay.too_few", posts=posts))
    columns = (content.column("age"), number_column(words.say("column.share")))
    rows = tuple(
        ((words.say(f"age.name.{each.age_days}"),), (words.figure(each.share),))
        for each in decay.points
    )
    charts = () if content.has_several_accounts else content.charts("decay")
    return content.section(
        "decay",
        content.note(
            "decay.meaning", posts=posts, after=words.say(f"age.after.{decay.final_age_days}")
        ),
        *charts,
        Table(
            content.name("decay"),
            words.say("table.decay"),
            columns,
            rows,
            is_folded=bool(charts),
        ),
    )


def describe_effects(content: SubjectContent) -> tuple[Section, ...]:
    """Return the section that compares an account's posts with and without each property."""
    if not content.numbers.effects:
        return ()
    words = content.words
    columns = (
        Column(words.say("column.comparison"), is_wide=True),
        number_column(words.say("column.with_posts")),
        number_column(words.say("column.without_posts")),
        number_column(words.say("column.factor")),
        content.column("interval"),
        Column(words.say("column.verdict"), is_wide=True),
    )
    rows = tuple(_effect_row(content, each) for each in content.numbers.effects)
    # If no comparison has enough posts, no row has an interval.
    table = Table(content.name("effects"), words.say("table.effects"), columns, rows)
    blocks: list[Block] = [
        content.note("effects.meaning"),
        *content.charts("effects"),
        drop_empty_columns(table),
        content.note("effects.cause"),
    ]
    return (content.section("effects", *blocks),)


def _table_group(content: SubjectContent, breakdown: Breakdown, *, is_shown: bool) -> Table:
    words, dimension = content.words, breakdown.dimension
    columns = [Column(words.say(f"dimension.{dimension}"))]
    columns += [number_column(words.say(f"column.{each}")) for each in _GROUP_FIGURES]
    rows: list[tuple[Text, ...]] = []
    for each in breakdown.rows:
        figures = (
            each.posts,
            each.impressions,
            each.median_impressions,
            each.engagements,
            each.median_engagements,
            each.rate,
        )
        name = words.say(f"group.{dimension}.{each.group}")
        rows.append(((name,), *((words.figure(figure),) for figure in figures)))
    caption = words.say(f"table.{dimension}")
    shown = None if is_shown else 0
    return Table(content.name(dimension), caption, tuple(columns), tuple(rows), shown_rows=shown)


def _effect_row(content: SubjectContent, effect: Effect) -> tuple[Text, ...]:
    words = content.words
    has_interval = effect.low is not None and effect.high is not None
    return (
        (words.say(f"effect.{effect.name}.compared"),),
        (words.figure(effect.with_posts),),
        (words.figure(effect.without_posts),),
        (words.figure(effect.factor),),
        (words.interval(effect.low or 0, effect.high or 0),) if has_interval else (),
        (words.say(f"verdict.{effect.verdict}"),),
    )
