"""The sections about single posts: all posts of the period, the best and the worst."""

from collections.abc import Sequence
from typing import Final

from roost.insights.reports.content.figure_tables import number_column
from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.document import Block, Column, Items, Section, Table, Text
from roost.insights.reports.model import PostReason, ReportedPost
from roost.insights.reports.words import join_texts
from roost.models import Metric, PostId

#: A page shows this many posts of each account; XLSX and CSV have all.
_SHOWN_POSTS: Final = 25
_SHOWN_POSTS_OF_SEVERAL: Final = 8
#: In a report on several accounts, this many of the best and of the weakest posts are explained.
_RANKED_OF_SEVERAL: Final = 3
#: How many reasons are given for a post's rank, besides the impressions.
_MORE_REASONS: Final = 2
_TABLE_METRICS: Final = (Metric.IMPRESSIONS, Metric.ENGAGEMENTS, Metric.LINK_CLICKS)
_DETAIL_METRICS: Final = (
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
    Metric.QUOTES,
    Metric.BOOKMARKS,
    Metric.PROFILE_CLICKS,
)


def rank_posts(content: SubjectContent) -> Section:
    """Return the section about the posts with the most and the fewest impressions."""
    charts = content.charts("posts") if content.is_account else ()
    blocks: list[Block] = [content.note("ranking.meaning"), *charts]
    count = _RANKED_OF_SEVERAL if content.has_several_accounts else None
    for key, ids in (("best", content.numbers.best), ("worst", content.numbers.worst)):
        if ids:
            blocks.append(content.paragraph(f"ranking.{key}"))
            blocks.append(Items(tuple(_explain_rank(content, each) for each in ids[:count]), True))
    if not content.numbers.best and not content.numbers.worst:
        blocks.append(content.paragraph("ranking.none"))
    return content.section("ranking", *blocks)


def _explain_rank(content: SubjectContent, post_id: PostId) -> Text:
    """Return why a post is among the best or the worst."""
    words = content.words
    post = next(each for each in content.numbers.posts if each.post_id == post_id)
    standing = post.standing
    assert standing is not None  # a post without a standing has no rank
    impressions, *others = standing.reasons
    after = words.say(f"age.after.{standing.age_days}")
    why = words.text(
        "ranking.why",
        post=_name_post(content, post),
        factor=words.figure(impressions.factor),
        value=words.figure(impressions.value),
        usual=words.figure(impressions.usual),
        after=after,
        posts=words.plural("count.other_posts", standing.compared_posts),
    )
    more = [each for each in others if _is_same_direction(each, impressions)][:_MORE_REASONS]
    if not more:
        return why
    reasons = words.join([_describe_reason(content, each) for each in more])
    return join_texts(why, " ", words.text("ranking.also", reasons=reasons))


def list_posts(content: SubjectContent) -> Section:
    """Return the section with the posts of the period."""
    posts, words = content.numbers.posts, content.words
    if not posts:
        return content.section("posts", content.paragraph("posts.none"))
    zone = content.report.periods.current.zone.key
    columns = (
        content.column("sent"),
        Column(words.say("column.post"), is_wide=True),
        content.column("type"),
        *(number_column(words.say(f"metric.{each}")) for each in _TABLE_METRICS),
        number_column(words.say("column.rate")),
        number_column(words.say("column.standing")),
    )
    details = (
        content.column("sent"),
        Column(words.say("column.post"), is_wide=True),
        number_column(words.say("column.parts")),
        *(number_column(words.say(f"metric.{each}")) for each in _DETAIL_METRICS),
        content.column("measured"),
    )
    return content.section(
        "posts",
        content.note("posts.meaning", zone=zone),
        _make_table(content, "posts", columns, [_post_row(content, each) for each in posts]),
        Table(
            content.name("details"),
            words.say("table.details"),
            details,
            tuple(_detail_row(content, each) for each in posts),
            shown_rows=0,
        ),
    )


def _make_table(
    content: SubjectContent,
    part: str,
    columns: tuple[Column, ...],
    rows: Sequence[tuple[Text, ...]],
) -> Table:
    words = content.words
    shown = _SHOWN_POSTS_OF_SEVERAL if content.has_several_accounts else _SHOWN_POSTS
    is_cut = len(rows) > shown
    return Table(
        content.name(part),
        words.say(f"table.{part}"),
        columns,
        tuple(rows),
        shown_rows=shown if is_cut else None,
        omitted=words.say("posts.omitted") if is_cut else "",
    )


def _post_row(content: SubjectContent, post: ReportedPost) -> tuple[Text, ...]:
    words, standing = content.words, post.standing
    return (
        (content.moment(post.sent_at, zone=False),),
        (content.post(post),),
        (words.say(f"group.type.{post.type}"),),
        *((words.figure(post.metrics[each]),) for each in _TABLE_METRICS),
        (words.figure(post.rate),),
        () if standing is None else (words.figure(standing.factor),),
    )


def _detail_row(content: SubjectContent, post: ReportedPost) -> tuple[Text, ...]:
    words = content.words
    return (
        (content.moment(post.sent_at, zone=False),),
        (content.post(post, is_short=True),),
        (words.figure(post.parts),),
        *((words.figure(post.metrics[each]),) for each in _DETAIL_METRICS),
        () if post.read_at is None else (content.moment(post.read_at, zone=False),),
    )


def _name_post(content: SubjectContent, post: ReportedPost) -> Text:
    words = content.words
    named = words.text(
        "post.named",
        post=content.post(post, is_short=True),
        day=content.moment(post.sent_at, zone=False),
    )
    if content.is_account:
        return named
    return join_texts(content.account_names[post.account], ": ", named)


def _is_same_direction(reason: PostReason, first: PostReason) -> bool:
    return (float(reason.factor.value or 0) > 1) == (float(first.factor.value or 0) > 1)


def _describe_reason(content: SubjectContent, reason: PostReason) -> Text:
    words = content.words
    return words.text(
        "ranking.reason",
        metric=words.say(f"metric.{reason.metric}"),
        value=words.figure(reason.value),
        usual=words.figure(reason.usual),
    )
