"""Error messages of commands name the cause and the remedy, and contain no traceback."""

import asyncio
from pathlib import Path

import pytest

from fix_postgres import PostgresServer
from fix_publishing import Publisher, run_roost
from roost import errors
from roost.cli.command import exit_code
from roost.models import Tenant
from roost.runtime import Runtime
from roost.settings import Settings

#: A database URL with a port at which no server listens.
NOWHERE = "postgresql://user:a-password@127.0.0.1:9/nowhere"


async def test_a_malformed_setting_is_named_and_its_value_is_not_shown(tmp_path: Path) -> None:
    result = await run_roost(
        "posts", "--json", folder=tmp_path, DATABASE_URL="mysql://user:a-password@host/roost"
    )
    assert (result.code, result.error) == (2, "setting_invalid")
    assert result.answer["error"]["facts"] == {"setting": "DATABASE_URL"}
    assert "a-password" not in result.out + result.err


async def test_a_malformed_key_is_named_by_its_position(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": NOWHERE, "ROOST_VAULT_KEYS": "short:c2VjcmV0"}
    result = await run_roost("posts", "--json", folder=tmp_path, settings=None, **variables)
    assert (result.code, result.error) == (2, "setting_invalid")
    assert "Key 1 of ROOST_VAULT_KEYS" in result.answer["error"]["message"]
    assert "c2VjcmV0" not in result.out + result.err


async def test_several_malformed_settings_are_all_named(tmp_path: Path) -> None:
    result = await run_roost(
        "posts", folder=tmp_path, ROOST_HEARTBEAT_S="x", ROOST_TIMELINE_LAG_S="-1"
    )
    assert result.code == 2
    assert result.out == ""
    assert "ROOST_HEARTBEAT_S" in result.err
    assert "ROOST_TIMELINE_LAG_S" in result.err
    assert "two heartbeats of a worker" in result.err


async def test_a_clock_on_another_host_is_refused(database_url: str, tmp_path: Path) -> None:
    result = await run_roost(
        "posts", "--json", folder=tmp_path, DATABASE_URL=database_url,
        ROOST_CLOCK_URL="http://127.0.0.1:9/clock", ROOST_X_BASE_URL="https://api.x.com",
    )  # fmt: skip
    assert (result.code, result.error) == (2, "setting_invalid")
    assert result.answer["error"]["facts"] == {"setting": "ROOST_CLOCK_URL"}


async def test_a_clock_that_does_not_respond_is_reported(database_url: str, tmp_path: Path) -> None:
    result = await run_roost(
        "posts", "--json", folder=tmp_path, DATABASE_URL=database_url,
        ROOST_CLOCK_URL="http://127.0.0.1:9/clock", ROOST_X_BASE_URL="http://127.0.0.1:9",
    )  # fmt: skip
    assert (result.code, result.answer["error"]["kind"]) == (5, "broken")
    assert "roost emulator" in result.answer["error"]["next"]


async def test_a_response_that_is_not_a_clocks_is_reported(
    database_url: str, emulator_url: str, tmp_path: Path
) -> None:
    result = await run_roost(
        "posts", "--json", folder=tmp_path, DATABASE_URL=database_url,
        ROOST_CLOCK_URL=f"{emulator_url}/_emulator/users", ROOST_X_BASE_URL=emulator_url,
    )  # fmt: skip
    assert (result.code, result.answer["error"]["kind"]) == (5, "broken")


async def test_an_unreachable_database_is_reported_without_its_password(tmp_path: Path) -> None:
    posts, init = await asyncio.gather(
        run_roost("posts", "--json", folder=tmp_path, DATABASE_URL=NOWHERE),
        run_roost("init", "--json", folder=tmp_path, DATABASE_URL=NOWHERE),
    )
    assert (posts.code, posts.error) == (5, "database_unavailable")
    assert posts.answer["error"]["message"].startswith(
        "The database does not accept connections now. PostgreSQL reports: connection to server"
    )
    assert (init.code, init.error) == (5, "database_unavailable")
    assert "a-password" not in posts.out + posts.err + init.out + init.err


async def test_a_missing_database_is_reported(
    migrated_server: PostgresServer, tmp_path: Path
) -> None:
    url = migrated_server.url("no_such_database")
    result = await run_roost("posts", "--json", folder=tmp_path, DATABASE_URL=url)
    assert (result.code, result.error) == (5, "database_unavailable")
    assert "no_such_database" in result.answer["error"]["message"]


@pytest.mark.parametrize(
    "command",
    [("publish", "Hello"), ("connect", "--no-browser"), ("worker",)],
    ids=["publish", "connect", "worker"],
)
async def test_commands_that_need_a_secret_require_a_vault_key(
    publisher: Publisher, tmp_path: Path, command: tuple[str, ...]
) -> None:
    await publisher.emulator.jump(seconds=1)
    keyless = publisher.runtime.settings.model_copy(update={"vault_keys": None})
    result = await run_roost(
        *command, "--json",
        settings=keyless, folder=tmp_path, ROOST_HOME=str(tmp_path / "empty"),
    )  # fmt: skip
    assert (result.code, result.error) == (5, "vault_key_missing")


async def test_doctor_names_a_missing_vault_key(
    runtime: Runtime, tenant: Tenant, tmp_path: Path
) -> None:
    keyless = runtime.settings.model_copy(update={"vault_keys": None})
    result = await run_roost(
        "doctor", settings=keyless, folder=tmp_path, ROOST_HOME=str(tmp_path / "empty")
    )
    assert result.code == 5
    assert "vault_key_missing" in result.out
    assert "roost init" in result.out


async def test_connect_without_an_x_app_names_the_setting(
    settings: Settings, tenant: Tenant, tmp_path: Path
) -> None:
    without_client_id = settings.model_copy(update={"twitter_client_id": None})
    result = await run_roost(
        "connect", "--no-browser", "--json", settings=without_client_id, folder=tmp_path
    )
    assert (result.code, result.error) == (2, "setting_invalid")
    assert result.answer["error"]["facts"]["setting"] == "TWITTER_CLIENT_ID"


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "none.csv"),
        ("publish", "--thread", "none.txt"),
        ("publish", "Hello", "--at", "soon"),
        ("publish", "Hello", "--alt", "of nothing"),
    ],
    ids=lambda arguments: "_".join(arguments).replace("--", "") or "nothing",
)
async def test_invalid_arguments_are_reported(
    publisher: Publisher, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = await run_roost(
        *arguments, "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    assert result.code == 2
    assert result.answer["error"]["kind"] == "invalid"


async def test_a_report_that_cannot_be_written_is_reported(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "a_file").write_text("")
    result = await run_roost(
        "report", "--output", "a_file/report.html", "--json",
        settings=publisher.runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert result.code in (2, 5)
    assert "a_file" in result.answer["error"]["message"]


async def test_a_home_that_is_a_file_is_reported(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    result = await run_roost("init", "--json", folder=tmp_path, DATABASE_URL=database_url)
    assert result.code in (2, 5)
    assert "home" in result.answer["error"]["message"]


async def test_a_binary_key_file_is_reported(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "keys").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "home" / "keys").chmod(0o600)
    result = await run_roost("posts", "--json", folder=tmp_path, DATABASE_URL=database_url)
    assert (result.code, result.error) == (2, "setting_invalid")


async def test_serve_refuses_an_address_that_other_machines_can_reach(
    settings: Settings, tmp_path: Path
) -> None:
    result = await run_roost(
        "serve", "--host", "0.0.0.0", "--json", settings=settings, folder=tmp_path
    )
    assert (result.code, result.error) == (1, "unsafe_listen_address")


async def test_help_lists_the_exit_code_of_every_kind_of_error(tmp_path: Path) -> None:
    result = await run_roost("--help", folder=tmp_path)
    codes = " ".join(result.out.partition("Exit codes:")[2].split())
    assert [entry.split()[0] for entry in codes.split("·")] == ["0", "1", "2", "3", "4", "5", "130"]
    kinds = (errors.InvalidInput, errors.NotFound, errors.Conflict, errors.Refused)
    assert [exit_code(kind("It happened.")) for kind in kinds] == [2, 1, 1, 1]
    assert exit_code(errors.AdministratorNeeded("It happened.")) == 3
    assert exit_code(errors.SchemaOutdated("It happened.")) == 3
    assert exit_code(errors.Busy("It happened.")) == 4
    assert exit_code(errors.Broken("It happened.")) == 5


async def test_an_error_says_what_roost_did_and_what_to_do(
    publisher: Publisher, tmp_path: Path
) -> None:
    result = await run_roost("cancel", "404", settings=publisher.runtime.settings, folder=tmp_path)
    assert result.out == ""
    assert result.err.splitlines() == [
        "post_not_found: There is no post 404.",
        "Nothing was changed.",
        "`roost posts` lists the posts.",
    ]


@pytest.mark.parametrize("command", ["serve", "emulator"])
async def test_a_port_is_a_number_from_0_to_65535(command: str, tmp_path: Path) -> None:
    for port, reason in (("65536", "must be at most 65535"), ("-1", "must be at least 0")):
        result = await run_roost(command, f"--port={port}", "--json", folder=tmp_path)
        assert (result.code, result.error) == (2, "usage_invalid")
        assert result.answer["error"]["message"] == f"--port {reason}."


@pytest.mark.parametrize("columns", ["0", "1"])
async def test_help_is_complete_in_a_very_narrow_terminal(columns: str, tmp_path: Path) -> None:
    result = await run_roost("--help", folder=tmp_path, COLUMNS=columns)
    assert (result.code, result.err) == (0, "")
    assert "publish" in result.out
    assert "Publish or schedule" in result.out


async def test_doctor_says_in_words_why_x_does_not_respond(tmp_path: Path) -> None:
    result = await run_roost(
        "doctor", folder=tmp_path, DATABASE_URL=NOWHERE, ROOST_X_BASE_URL="http://127.0.0.1:9"
    )
    assert (
        "X at http://127.0.0.1:9: does not respond: no connection: Connection refused" in result.out
    )


async def test_an_unsafe_address_of_x_is_explained_without_doubled_dots(tmp_path: Path) -> None:
    result = await run_roost("posts", folder=tmp_path, ROOST_X_BASE_URL="http://evil.example")
    assert result.code == 2
    assert "ROOST_X_EMULATOR_HOST. Its purpose:" in result.err


async def test_an_unknown_tenant_is_reported_with_those_that_exist(
    settings: Settings, tenant: Tenant, tmp_path: Path
) -> None:
    result = await run_roost("posts", "--tenant", "nope", settings=settings, folder=tmp_path)
    assert result.code == 1
    assert f"Name a tenant by --tenant: {tenant.name}." in result.err


async def test_states_are_listed_as_in_the_help(tmp_path: Path) -> None:
    result = await run_roost("posts", "--state", "done", folder=tmp_path)
    assert result.code == 2
    assert "needs-decision" in result.err
    assert "_" not in result.err.partition(":")[2]
