"""The definition of every figure of a report, in the order of the report's glossary."""

from collections.abc import Iterator
from typing import Final

from roost.insights.reports.figures import Definition, Notion, Statistic, Unit

_POST_METRICS: Final = {
    "impressions": ("Impressions", "how often X has shown a post"),
    "engagements": ("Engagements", "all interactions with a post, as X counts them"),
    "link_clicks": ("Link clicks", "clicks on a link in a post"),
    "profile_clicks": ("Profile clicks", "clicks from a post on the author's profile"),
}
_FOLLOWERS: Final = (
    "The number of followers is the mean of the numbers at the end of the period's measured days."
)
#: The kinds of spending, with the operations in the ledger that belong to each.
SPENDING_KINDS: Final = {
    "posts": frozenset({"create_post", "delete_post"}),
    "media": frozenset({"media_upload", "media_status", "media_metadata", "media_subtitles"}),
    "post_reads": frozenset(
        {"read_posts", "read_timeline", "read_post_analytics", "read_media_analytics"}
    ),
    "account_reads": frozenset({"read_user"}),
    #: All other operations.
    "other": frozenset[str](),
}
_SPENDING_TITLES: Final = {
    "posts": ("Spent on posts", "creating and deleting posts"),
    "media": ("Spent on media", "uploading media"),
    "post_reads": ("Spent on reading posts", "reading posts, for their metrics or a timeline"),
    "account_reads": ("Spent on reading accounts", "reading accounts, for their followers"),
    "other": ("Other spending", "all other requests"),
}


def _gained() -> Iterator[Definition]:
    for name, (title, meaning) in _POST_METRICS.items():
        yield Definition(
            f"gained.{name}",
            f"{title} gained",
            f"{title} are {meaning}. This is the number that all posts, also those published before"
            " the period, gained from the end of the day before the period to the end of its last"
            " day. Roost measures a post until it is 90 days old"
            + (", and this metric until it is 30 days old." if name != "impressions" else "."),
            Unit.COUNT,
            Notion.GAINED,
        )
        yield Definition(
            f"gained.{name}_undated",
            f"{title} gained on no single day",
            f"The part of the {title.lower()} gained that belongs to no single day, because a day"
            " has no closing snapshot, or because posts older than 30 days are read weekly.",
            Unit.COUNT,
            Notion.GAINED,
        )
    yield Definition(
        "gained.rate_by_impressions",
        "Engagement rate of gains, by impressions",
        "The engagements gained divided by the impressions gained. Both count only between"
        " snapshots that have both metrics, so posts older than 30 days are left out.",
        Unit.SHARE,
        Notion.GAINED,
        Statistic.RATE,
    )
    yield Definition(
        "gained.rate_by_followers",
        "Engagement rate of gains, by followers",
        f"The engagements gained divided by the number of followers. {_FOLLOWERS}",
        Unit.SHARE,
        Notion.GAINED,
        Statistic.RATE,
    )


def _published() -> Iterator[Definition]:
    for name, (title, meaning) in _POST_METRICS.items():
        noun = title.lower()
        of_posts = "the posts published in the period, as known at the end of its last day"
        yield Definition(
            f"published.{name}",
            f"{title} of published posts",
            f"{title} are {meaning}. This is the sum over {of_posts}. A thread counts as one post"
            " with the sum of its parts.",
            Unit.COUNT,
            Notion.PUBLISHED,
        )
        for statistic in (Statistic.MEAN, Statistic.MEDIAN):
            yield Definition(
                f"published.{statistic}_{name}",
                f"{statistic.capitalize()} {noun} per post",
                f"The {statistic} of the {noun} of {of_posts}. Posts whose {noun} are not known are"
                " left out.",
                Unit.COUNT,
                Notion.PUBLISHED,
                statistic,
            )
    yield Definition(
        "published.rate_by_impressions",
        "Engagement rate of published posts, by impressions",
        "The engagements of the posts published in the period divided by their impressions. Posts"
        " of which only one of the two is known are left out.",
        Unit.SHARE,
        Notion.PUBLISHED,
        Statistic.RATE,
    )
    yield Definition(
        "published.median_rate",
        "Median engagement rate per post",
        "The median of the posts' engagements divided by their impressions.",
        Unit.SHARE,
        Notion.PUBLISHED,
        Statistic.MEDIAN,
    )
    yield Definition(
        "published.rate_by_followers",
        "Engagement rate of published posts, by followers",
        "The mean engagements per published post divided by the number of followers. For several"
        f" accounts, each post counts with the followers of its account. {_FOLLOWERS}",
        Unit.SHARE,
        Notion.PUBLISHED,
        Statistic.RATE,
    )


def _account_and_activity() -> Iterator[Definition]:
    account = {
        "followers.end": ("Followers", "The number of followers at the end of the last day."),
        "followers.change": (
            "Follower balance",
            "The followers at the end of the last day less those at the end of the day before the"
            " period: new followers less lost ones.",
        ),
    }
    for name, (title, sentence) in account.items():
        yield Definition(name, title, sentence, Unit.COUNT, Notion.ACCOUNT)
    activity = {
        "activity.posts": (
            "Posts published",
            "The number of posts whose first part was sent in the period. A thread is one post.",
        ),
        "activity.parts": ("Parts published", "The number of single posts on X in these posts."),
        "activity.active_days": (
            "Days with a post",
            "The number of days of the period on which a post was published.",
        ),
        "activity.late": (
            "Published late",
            "The number of posts due in the period that were sent more than two minutes after"
            " their due time. A wait that X caused is not counted.",
        ),
        "activity.missed": (
            "Missed",
            "The number of posts due in the period that were not sent, because they were later than"
            " their tolerance allows.",
        ),
        "activity.failed": (
            "Failed",
            "The number of posts due in the period of which X refused at least one part.",
        ),
    }
    for name, (title, sentence) in activity.items():
        yield Definition(name, title, sentence, Unit.COUNT, Notion.ACTIVITY)
    yield Definition(
        "activity.posts_per_week",
        "Posts per week",
        "The number of posts published, divided by the number of days of the period, times seven.",
        Unit.PER_WEEK,
        Notion.ACTIVITY,
        Statistic.RATE,
    )


def _spent() -> Iterator[Definition]:
    def make(name: str, title: str, sentence: str, statistic: Statistic) -> Definition:
        return Definition(
            f"spent.{name}", title, sentence, Unit.DOLLARS, Notion.SPENT, statistic, is_cost=True
        )

    yield make(
        "total",
        "X billed",
        "The sum of the prices of all requests to X in the period, from Roost's ledger.",
        Statistic.TOTAL,
    )
    for kind, (title, what) in _SPENDING_TITLES.items():
        yield make(kind, title, f"What X billed for {what}.", Statistic.TOTAL)
    yield make(
        "per_engagement",
        "Cost per engagement",
        "What X billed in the period divided by the engagements gained.",
        Statistic.RATE,
    )
    yield make(
        "per_thousand_impressions",
        "Cost per 1,000 impressions",
        "What X billed in the period divided by the impressions gained, times 1,000.",
        Statistic.RATE,
    )


def _coverage_and_days() -> Iterator[Definition]:
    for name, title, sentence in (
        ("coverage.days", "Days", "The number of days of the period."),
        (
            "coverage.closed_days",
            "Closed days",
            "The number of days that are over, and whose last read of metrics has been due.",
        ),
        (
            "coverage.measured_days",
            "Measured days",
            "The number of closed days on which every account and every post that is read daily has"
            " a closing snapshot.",
        ),
        (
            "coverage.measured_posts",
            "Measured posts",
            "The number of posts published in the period whose metrics were read at least once.",
        ),
    ):
        yield Definition(name, title, sentence, Unit.COUNT, Notion.ACTIVITY)
    for name, title, sentence, notion in (
        ("day.followers", "Followers", "The followers at the end of the day.", Notion.ACCOUNT),
        (
            "day.follower_change",
            "Change of followers",
            "The followers at the end of the day less those at the end of the day before.",
            Notion.ACCOUNT,
        ),
        (
            "day.impressions",
            "Impressions gained",
            "The impressions that posts read daily gained on the day; not known if a post that is"
            " read daily has no closing snapshot of the day.",
            Notion.GAINED,
        ),
        (
            "day.engagements",
            "Engagements gained",
            "The engagements gained on the day, counted like the impressions.",
            Notion.GAINED,
        ),
    ):
        yield Definition(name, title, sentence, Unit.COUNT, notion)


def _posts() -> Iterator[Definition]:
    count, published = Unit.COUNT, Notion.PUBLISHED
    yield Definition(
        "post.metric",
        "A metric of a post",
        "The metric at the end of the period's last day, added up over the parts of a thread.",
        count,
        published,
    )
    yield Definition(
        "post.parts", "Parts", "The number of the post's parts on X.", count, Notion.ACTIVITY
    )
    yield Definition(
        "post.rate",
        "Engagement rate of a post",
        "The post's engagements divided by its impressions.",
        Unit.SHARE,
        published,
        Statistic.RATE,
    )
    yield Definition(
        "standing.value",
        "Value at an age",
        "The metric at an age of the post of up to seven whole days, interpolated between the"
        " snapshots before and after.",
        count,
        published,
    )
    yield Definition(
        "standing.usual",
        "Usual value at an age",
        "The median of the account's other posts at the same age. Replies are compared with"
        " replies, and other posts with posts that are not replies.",
        count,
        published,
        Statistic.MEDIAN,
    )
    yield Definition(
        "standing.factor",
        "Multiple of the usual",
        "The value at an age plus one half, divided by the usual value plus one half.",
        Unit.FACTOR,
        published,
    )
    yield Definition(
        "standing.compared_posts",
        "Compared posts",
        "The number of the account's other posts that were measured at the same age.",
        count,
        Notion.ACTIVITY,
    )


def _groups() -> Iterator[Definition]:
    count, published = Unit.COUNT, Notion.PUBLISHED
    yield Definition(
        "group.posts", "Posts", "The number of the group's posts.", count, Notion.ACTIVITY
    )
    for metric in ("impressions", "engagements"):
        for statistic in (Statistic.MEAN, Statistic.MEDIAN):
            yield Definition(
                f"group.{statistic}_{metric}",
                f"{statistic.capitalize()} {metric} per post",
                f"The {statistic} of the {metric} of the group's posts at the end of the period.",
                count,
                published,
                statistic,
            )
    yield Definition(
        "group.rate",
        "Engagement rate of a group",
        "The engagements of the group's posts divided by their impressions.",
        Unit.SHARE,
        published,
        Statistic.RATE,
    )
    yield Definition(
        "decay.posts",
        "Posts of the decay curve",
        "The number of posts that were measured at the age at which impressions count as final.",
        count,
        Notion.ACTIVITY,
    )
    yield Definition(
        "decay.share",
        "Share of the final impressions",
        "The median, over the measured posts, of the impressions at an age divided by those of the"
        " same post after 28 days.",
        Unit.SHARE,
        published,
        Statistic.MEDIAN,
    )
    yield Definition(
        "effect.posts",
        "Compared posts",
        "The number of posts, without replies, that were measured two days after publication.",
        count,
        Notion.ACTIVITY,
    )
    yield Definition(
        "effect.factor",
        "Difference between posts",
        "How many times as many impressions a post with the property typically had after two days"
        " as a post without it from the same weeks (the Hodges-Lehmann estimate of the ratio). Of a"
        " thread, the first part counts. The difference need not be caused by the property.",
        Unit.FACTOR,
        published,
    )


#: The definitions of all figures by name.
DEFINITIONS: Final = {
    definition.name: definition
    for section in (
        _gained,
        _published,
        _account_and_activity,
        _spent,
        _coverage_and_days,
        _posts,
        _groups,
    )
    for definition in section()
}
#: The names of the figures that a report shows for each subject, and compares with other periods.
SUBJECT_FIGURES: Final = tuple(
    name
    for name in DEFINITIONS
    if name.startswith(("gained.", "published.", "followers.", "activity.", "spent."))
)
