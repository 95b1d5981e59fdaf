"""Every command that takes a post shows the same warnings, and accepts the post anyway."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fix_media import draw_exif, draw_image, save_gif, save_video
from fix_publishing import CommandResult, Publisher, run_roost


def _apng(path: Path) -> None:
    pictures = [Image.new("RGB", (64, 48), (shade, 0, 0)) for shade in (0, 100, 200)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)


#: For each warning about media, a file that causes the warning. `TEXT` causes one more warning.
FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "media_location": ("photo.jpg", lambda path: draw_image().save(path, exif=draw_exif())),
    "gif_stops": ("once.gif", lambda path: save_gif(path, loop=None)),
    "animation_still": ("moves.png", _apng),
}
TEXT = "It is all in README.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of `FILES`, and a plan with a row for each file."""
    rows = ["account,at,text,media,alt,thread"]
    for name, make in FILES.values():
        make(tmp_path / name)
        rows.append(f"@larkbooks,+1h,{TEXT} and {name},{name},,")
    (tmp_path / "plan.csv").write_text("\n".join(rows), "utf-8")
    return tmp_path


async def run(publisher: Publisher, folder: Path, *arguments: str) -> CommandResult:
    result = await run_roost(*arguments, settings=publisher.runtime.settings, folder=folder)
    assert result.code == 0, result.err
    return result


@pytest.mark.parametrize("code", FILES)
@pytest.mark.parametrize("command", ["check", "publish", "publish --dry-run", "edit"])
async def test_command_for_one_post_shows_warnings(
    publisher: Publisher, folder: Path, command: str, code: str
) -> None:
    name, _ = FILES[code]
    media = ("--media", str(folder / name))
    if command == "check":
        result = await run(publisher, folder, "check", TEXT, *media)
    elif command == "edit":
        post_id = await publisher.schedule("Before", after_s=3600)
        result = await run(publisher, folder, "edit", str(post_id), "--text", TEXT, *media)
    else:
        _, *options = command.split()
        result = await run(publisher, folder, "publish", TEXT, *media, "--no-wait", *options)
    shown = result.out + result.err
    for expected in (code, "accidental_link"):
        assert shown.count(f"! {expected}: ") == 1
    assert name in shown


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["import", "dry run"])
async def test_import_shows_warnings_with_the_line(
    publisher: Publisher, folder: Path, dry: tuple[str, ...]
) -> None:
    result = await run(publisher, folder, "import", "plan.csv", *dry)
    for line, code in enumerate(FILES, start=2):
        assert f"line {line}: ! {code}: " in result.out
        assert f"line {line}: ! accidental_link: " in result.out


async def test_warning_in_a_thread_names_its_part_and_line(
    publisher: Publisher, folder: Path
) -> None:
    (folder / "thread.csv").write_text(
        "account,at,text,media,alt,thread\n@larkbooks,+1h,One.,,,a\n,,Two.,photo.jpg,,a\n",
        "utf-8",
    )
    result = await run(publisher, folder, "import", "thread.csv")
    assert "line 3: ! part 2: media_location: " in result.out


async def test_json_of_commands_that_send_nothing_lists_warnings(
    publisher: Publisher, folder: Path
) -> None:
    check, dry, planned = [
        await run(publisher, folder, *arguments, "--json")
        for arguments in (
            ("check", TEXT, "--media", "photo.jpg"),
            ("publish", TEXT, "--media", "photo.jpg", "--dry-run"),
            ("import", "plan.csv", "--dry-run"),
        )
    ]
    assert check.answer["findings"] == dry.answer["findings"]
    link, place = check.answer["findings"]
    assert (link["code"], link["start"], link["proposal"]) == (
        "accidental_link",
        13,
        "README (.md)",
    )
    assert (place["code"], place["start"]) == ("media_location", None)
    lines = [(row["line"], row["finding"]["code"]) for row in planned.answer["findings"]]
    assert lines == [
        (line, code) for line, own in enumerate(FILES, start=2) for code in ("accidental_link", own)
    ]


async def test_motion_photo_is_published_with_a_warning(publisher: Publisher, folder: Path) -> None:
    film = save_video(folder / "film.mp4").read_bytes()
    photo = (folder / "photo.jpg").read_bytes()
    (folder / "motion.jpg").write_bytes(photo + b"MotionPhoto_Data" + film)
    result = await run(publisher, folder, "publish", "Waves", "--media", "motion.jpg", "--no-wait")
    assert "! motion_photo: " in result.err
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Waves"]


#: A text for each kind of damage that software does to texts.
DAMAGED = {
    "html_entity": "Q&amp;A",
    "replacement_character": "caf\ufffd",
    "mojibake": "Donâ€™t",
    "placeholder": "Dear {{name}}",
}


@pytest.mark.parametrize("command", ["check", "publish", "publish --dry-run", "edit", "import"])
async def test_every_command_warns_of_a_damaged_text(
    publisher: Publisher, folder: Path, command: str
) -> None:
    text = " ".join(DAMAGED.values())
    if command == "import":
        rows = f"account,at,text,media,alt,thread\n@larkbooks,+1h,{text},,,\n"
        (folder / "damaged.csv").write_text(rows, "utf-8")
        result = await run(publisher, folder, "import", "damaged.csv")
    elif command == "edit":
        post_id = await publisher.schedule("Before", after_s=3600)
        result = await run(publisher, folder, "edit", str(post_id), "--text", text)
    else:
        word, *options = command.split()
        result = await run(
            publisher, folder, word, text, *options, *(["--no-wait"] if word == "publish" else [])
        )
    shown = result.out + result.err
    for code in DAMAGED:
        assert shown.count(f"! {code}: ") == 1


@pytest.mark.parametrize("code", DAMAGED)
async def test_alt_texts_and_polls_are_checked_for_damage_too(
    publisher: Publisher, folder: Path, code: str
) -> None:
    text = DAMAGED[code]
    alt = await run(
        publisher, folder, "publish", "Hello", "--media", "once.gif", "--alt", text, "--dry-run"
    )
    assert f"! {code}: In the alt text of once.gif: " in alt.out
    poll = await run(publisher, folder, "check", "Hello", "--poll", text, "--poll", "No")
    assert f"! {code}: In the poll: " in poll.out


@pytest.mark.parametrize("command", ["publish", "publish --dry-run"])
async def test_publish_warns_of_a_text_that_the_account_has_just_published(
    publisher: Publisher, folder: Path, command: str
) -> None:
    await publisher.schedule("Hello")
    await publisher.run_due_jobs()
    word, *options = command.split()
    result = await run(publisher, folder, word, "Hello", "--no-wait", *options)
    assert (result.out + result.err).count("! text_repeated: Post ") == 1
