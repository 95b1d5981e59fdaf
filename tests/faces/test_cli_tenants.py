"""A command in advice has `--tenant` if it would not use the right tenant otherwise."""

from pathlib import Path

from fix_emulator import Emulator
from fix_publishing import Publisher, run_roost
from fix_runtime import connect_account, make_tenant
from roost.models import Tenant
from roost.runtime import Runtime


async def test_advice_of_alerts_names_the_tenant_of_each_alert(
    publisher: Publisher, tmp_path: Path
) -> None:
    settings = publisher.runtime.settings
    await publisher.schedule("Good morning")
    await publisher.emulator.jump(hours=2)
    await publisher.run_to_completion()
    alone = await run_roost("alerts", settings=settings, folder=tmp_path)
    assert "`roost resolve 1 resend`" in alone.out
    await make_tenant(publisher.runtime, "acme")
    for command in ("alerts", "doctor"):
        result = await run_roost(command, settings=settings, folder=tmp_path)
        assert "`roost resolve 1 resend --tenant default`" in result.out
    as_json = await run_roost("alerts", "--json", settings=settings, folder=tmp_path)
    assert "resend --tenant default`" in as_json.answer["alerts"][0]["next"]


async def test_advice_of_an_error_names_the_tenant_of_the_command(
    runtime: Runtime, emulator: Emulator, tmp_path: Path
) -> None:
    acme: Tenant = await make_tenant(runtime, "acme")
    await connect_account(runtime, acme, emulator, "larkbooks")
    options = ("--tenant", "acme")
    settings = runtime.settings
    missing = await run_roost("cancel", "404", *options, settings=settings, folder=tmp_path)
    assert missing.err.splitlines()[-1] == "`roost posts --tenant acme` lists the posts."
    as_json = await run_roost(
        "cancel", "404", *options, "--json", settings=settings, folder=tmp_path
    )
    assert as_json.answer["error"]["next"] == "`roost posts --tenant acme` lists the posts."


async def test_text_of_a_user_is_not_taken_for_advice(runtime: Runtime, tmp_path: Path) -> None:
    await make_tenant(runtime, "acme")
    result = await run_roost(
        "posts", "--tenant", "acme", "--account", "@`roost posts`",
        settings=runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert "no account @`roost posts`." in result.err


async def test_pause_and_resume_name_the_tenant(
    publisher: Publisher, emulator: Emulator, tmp_path: Path
) -> None:
    settings = publisher.runtime.settings
    await make_tenant(publisher.runtime, "acme")
    post_id = await publisher.schedule("Hello", after_s=60)
    result = await run_roost("pause", str(post_id), settings=settings, folder=tmp_path)
    assert f"To resume: `roost resume {post_id} --tenant default`." in result.out
