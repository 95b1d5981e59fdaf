"""Tests that `&`, `<` and `>` are escaped in responses, with correct entity positions."""

from emulator.account import Account
from fix_emulator import Emulator
from x_emulator.rules import escaping
from x_emulator.rules.links import wrap

TEXT = "Q&A < 3 > 2 #news & @mira_builds https://example.com/?a=1&b=2 && $TWTR <3"


def test_entities_move_with_the_text() -> None:
    plain = wrap(TEXT, "1", {}, [])
    escaped = escaping.escape(plain)
    assert escaped.text.startswith("Q&amp;A &lt; 3 &gt; 2 #news &amp; @mira_builds https://t.co/")
    assert escaped.text.endswith(" &amp;&amp; $TWTR &lt;3")
    for name, found in plain.entities.items():
        before = [plain.text[each["start"] : each["end"]] for each in found]
        after = [escaped.text[each["start"] : each["end"]] for each in escaped.entities[name]]
        assert after == before


async def test_texts_are_escaped_in_responses_but_not_in_the_ground_truth(account: Account) -> None:
    response = await account.create("Fish & <chips>")
    assert response.data["text"] == "Fish &amp; &lt;chips&gt;"
    read = await account.get(f"/2/tweets/{response.data['id']}")
    assert read.data["text"] == response.data["text"]
    assert (await account.emulator.ground_truth())["posts"][0]["text"] == "Fish & <chips>"


async def test_cut_of_a_long_text_does_not_split_an_escape(emulator: Emulator) -> None:
    for shift in range(6):
        text = "x" * (270 + shift) + "&" * 30
        cut = escaping.cut(escaping.escape(wrap(text, "1", {}, [])).text, 276)
        rest = escaping.escape(wrap(text, "1", {}, [])).text[270 + shift : cut]
        assert rest == "&amp;" * (len(rest) // 5)
