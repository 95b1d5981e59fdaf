"""Tests of analytics by hour, day and week, and of an app's usage."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.account import Account, Response, connect
from emulator.signing import register
from emulator.test_app_only import request_token
from emulator.test_app_only import request_with as request_with_app
from emulator.test_schema import check, openapi
from fix_emulator import Emulator

__all__ = ["openapi"]
BOTH = {"tweet.fields": "public_metrics,non_public_metrics"}


async def now(emulator: Emulator) -> datetime:
    return datetime.fromisoformat((await emulator.ground_truth())["now"])


async def read_period(
    account: Account, path: str, start: datetime, end: datetime, **more: str
) -> Response:
    form = "%Y-%m-%dT%H:%M:%SZ"
    return await account.get(
        path, start_time=start.strftime(form), end_time=end.strftime(form), **more
    )


@pytest.mark.parametrize("granularity", ["hourly", "daily", "weekly", "total"])
async def test_buckets_add_up_to_the_counts(account: Account, granularity: str) -> None:
    post_id = await account.post("See roost.dev")
    start = await now(account.emulator) - timedelta(hours=1)
    await account.emulator.jump(days=9)
    account.tokens = await account.emulator.connect(account.username)
    end = await now(account.emulator) + timedelta(days=1)
    response = await read_period(
        account, "/2/tweets/analytics", start, end, ids=post_id, granularity=granularity
    )
    [entry] = response.data
    buckets = [each["metrics"] for each in entry["timestamped_metrics"]]
    post = (await account.get("/2/tweets", ids=post_id, **BOTH)).data[0]
    sums = {name: sum(each[name] for each in buckets) for name in buckets[0]}
    # Time passes between the two reads, but the post is nine days old, so its counts are final.
    assert sums["impressions"] == post["public_metrics"]["impression_count"] > 0
    assert sums["likes"] == post["public_metrics"]["like_count"]
    assert sums["engagements"] == post["non_public_metrics"]["engagements"]
    assert sums["url_clicks"] == post["non_public_metrics"]["url_link_clicks"]
    most = {"hourly": (216, 218), "daily": (10, 11), "weekly": (2, 2), "total": (1, 1)}
    assert most[granularity][0] <= len(buckets) <= most[granularity][1]


async def test_buckets_begin_on_the_hour_within_the_period(account: Account) -> None:
    post_id = await account.post("Hello")
    start = await now(account.emulator)
    await account.emulator.jump(hours=3)
    account.tokens = await account.emulator.connect(account.username)
    response = await read_period(
        account,
        "/2/tweets/analytics",
        start - timedelta(hours=1),
        start + timedelta(hours=3),
        **{"ids": post_id, "granularity": "hourly", "analytics.fields": "likes,impressions"},
    )
    buckets = response.data[0]["timestamped_metrics"]
    first = datetime.fromisoformat(buckets[0]["timestamp"])
    assert first == start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    assert buckets[0]["metrics"].keys() == {"likes", "impressions"}


async def test_granularity_is_total_by_default(account: Account) -> None:
    post_id = await account.post("Hello")
    at = await now(account.emulator)
    response = await read_period(
        account,
        "/2/tweets/analytics",
        at - timedelta(hours=1),
        at + timedelta(hours=1),
        ids=post_id,
    )
    assert len(response.data[0]["timestamped_metrics"]) == 1


async def test_other_users_and_missing_posts_are_errors_beside_the_data(account: Account) -> None:
    mine = await account.post("Mine")
    other = await connect(account.emulator, 1)
    foreign = await other.post("Not mine")
    at = await now(account.emulator)
    span = (at - timedelta(hours=1), at + timedelta(hours=1))
    response = await read_period(account, "/2/tweets/analytics", *span, ids=f"{mine},{foreign},99")
    assert [each["id"] for each in response.data] == [mine]
    kinds = {
        each["resource_id"]: each["type"].rpartition("/")[2] for each in response.body["errors"]
    }
    assert kinds == {foreign: "not-authorized-for-resource", "99": "resource-not-found"}


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"granularity": "yearly"}, "granularity"),
        ({"start_time": "yesterday"}, "start_time"),
        ({"end_time": "2020-01-01T00:00:00Z"}, "end_time"),
        ({"ids": "a"}, "ids"),
        ({"analytics.fields": "joy"}, "analytics.fields"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_invalid_analytics_parameters_are_refused(
    account: Account, changed: dict[str, str], parameter: str
) -> None:
    right = {"ids": "1", "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}
    response = await account.get("/2/tweets/analytics", **(right | changed))
    assert response.status == 400
    assert [*response.body["errors"][0]["parameters"]] == [parameter]


async def posted_video(account: Account, mp4: bytes) -> tuple[str, str]:
    media_id = await account.initialize("tweet_video", "video/mp4", len(mp4))
    await account.append(media_id, 0, mp4)
    await account.finalize(media_id)
    while (await account.status(media_id))["state"] != "succeeded":
        pass
    post_id = await account.post("Watch", media={"media_ids": [media_id]})
    [media] = (await account.emulator.ground_truth())["media"]
    return post_id, media["media_key"]


async def test_media_analytics_agree_with_the_views(account: Account, mp4: bytes) -> None:
    start = await now(account.emulator)
    post_id, key = await posted_video(account, mp4)
    await account.emulator.jump(days=5)
    account.tokens = await account.emulator.connect(account.username)
    end = await now(account.emulator) + timedelta(hours=1)
    response = await read_period(account, "/2/media/analytics", start, end, media_keys=key)
    daily = [each["metrics"] for each in response.data[0]["timestamped_metrics"]]
    query = {"expansions": "attachments.media_keys", "media.fields": "public_metrics"}
    seen = (await account.get("/2/tweets", ids=post_id, **query)).body["includes"]["media"][0]
    sums = {name: sum(each[name] for each in daily) for name in daily[0]}
    assert len(daily) in (5, 6, 7)
    assert sums["video_views"] == seen["public_metrics"]["view_count"] > 0
    stayed = ["playback_start", "playback25", "playback50", "playback75", "playback_complete"]
    assert [sums[name] for name in stayed] == sorted((sums[n] for n in stayed), reverse=True)


async def test_analytics_fit_the_schema(
    account: Account, openapi: dict[str, Any], mp4: bytes
) -> None:
    await account.emulator.switch(field_names="post", problem_host="api.x.com", error_format="flat")
    post_id, key = await posted_video(account, mp4)
    at = await now(account.emulator)
    span = (at - timedelta(hours=1), at + timedelta(hours=1))
    response = await read_period(account, "/2/tweets/analytics", *span, ids=f"{post_id},99")
    check(openapi, response, "get", "/2/tweets/analytics")
    response = await read_period(account, "/2/media/analytics", *span, media_keys=f"{key},3_99")
    check(openapi, response, "get", "/2/media/analytics")


async def test_usage_counts_posts_read_by_day(account: Account, openapi: dict[str, Any]) -> None:
    post_id = await account.post("Read me")
    refused = await account.get("/2/usage/tweets")
    assert (refused.status, refused.body["title"]) == (403, "Unsupported Authentication")
    app = await register(account.emulator)
    _, answer = await request_token(app)
    bearer = answer["access_token"]
    assert (await request_with_app(app, bearer, "GET", f"/2/tweets?ids={post_id}")).status == 200
    path = "/2/usage/tweets?days=2&usage.fields=project_usage,daily_client_app_usage"
    response = await request_with_app(app, bearer, "GET", path)
    assert response.data["project_usage"] == "1"
    days = response.data["daily_client_app_usage"][0]["usage"]
    assert [each["usage"] for each in days] == ["0", "1"]
    check(openapi, response, "get", "/2/usage/tweets")
