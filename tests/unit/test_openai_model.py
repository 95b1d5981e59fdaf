"""`OpenAIModel` against a real server of the OpenAI protocol."""

from decimal import Decimal

import pytest

from fix_model import Answer, ModelServer
from roost.agents.errors import ModelReplyInvalid, ModelUnavailable
from roost.agents.model import ModelPrice, Prompt, Reply
from roost.agents.openai_model import OpenAIModel
from roost.errors import SettingInvalid
from roost.scrub import mask_known_secrets

PROMPT = Prompt("Write.", "About bread.", 40)


def open_model(server: ModelServer, timeout: float = 20) -> OpenAIModel:
    return OpenAIModel("small", server.url, "sk-secret-of-the-test", timeout)


async def test_complete_sends_prompt_and_limit__and_returns_text_and_tokens(
    model_server: ModelServer,
) -> None:
    model_server.answers = ["Fresh bread"]
    async with open_model(model_server) as model:
        assert await model.complete(PROMPT) == Reply("Fresh bread", 100, 50)
        await model.complete(PROMPT)
    request = model_server.requests[0]
    assert [each["content"] for each in request["messages"]] == ["Write.", "About bread."]
    assert (request["model"], request["max_tokens"]) == ("small", 40)
    assert "tools" not in request
    assert model_server.keys[0] == "Bearer sk-secret-of-the-test"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_complete_repeats_refused_request(model_server: ModelServer, status: int) -> None:
    model_server.answers = [status, status, "Bread"]
    assert (await open_model(model_server).complete(PROMPT)).text == "Bread"
    assert len(model_server.requests) == 3


async def test_complete_gives_up_after_three_attempts__without_the_servers_text(
    model_server: ModelServer,
) -> None:
    model_server.answers = [503]
    with pytest.raises(ModelUnavailable, match="answered with status 503") as raised:
        await open_model(model_server).complete(PROMPT)
    assert len(model_server.requests) == 3
    assert raised.value.facts == {"status": 503, "attempts": 3, "may_be_billed": False}
    assert "secret" not in str(raised.value.as_dict())


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_complete_does_not_repeat_request_that_is_wrong(
    model_server: ModelServer, status: int
) -> None:
    model_server.answers = [status]
    with pytest.raises(ModelUnavailable):
        await open_model(model_server).complete(PROMPT)
    assert len(model_server.requests) == 1


async def test_complete_does_not_repeat_what_may_be_billed__time_out(
    model_server: ModelServer,
) -> None:
    model_server.answers = [30.0]
    with pytest.raises(ModelUnavailable) as raised:
        await open_model(model_server, timeout=0.3).complete(PROMPT)
    assert raised.value.facts["may_be_billed"] is True
    assert len(model_server.requests) == 1


async def test_complete_repeats_failed_connection() -> None:
    model = OpenAIModel("small", "http://127.0.0.1:1/v1", None, 5)
    with pytest.raises(ModelUnavailable, match="cannot be reached") as raised:
        await model.complete(PROMPT)
    assert raised.value.facts == {"status": None, "attempts": 3, "may_be_billed": False}


@pytest.mark.parametrize("garbage", [b"<html>", b"{}", b'{"choices": 1}'])
async def test_complete_refuses_other_json(model_server: ModelServer, garbage: Answer) -> None:
    model_server.answers = [garbage]
    with pytest.raises((ModelReplyInvalid, ModelUnavailable)):
        await open_model(model_server).complete(PROMPT)
    assert len(model_server.requests) == 1


async def test_complete_returns_empty_text(model_server: ModelServer) -> None:
    model_server.answers = [""]
    assert (await open_model(model_server).complete(PROMPT)).text == ""


def test_price_is_known_for_hosted_models_alone() -> None:
    assert OpenAIModel("openai:gpt-4o-mini", None, "k", 1).price() == ModelPrice(
        Decimal("0.15"), Decimal("0.6")
    )
    assert OpenAIModel("openai:no-such-model", None, "k", 1).price() is None
    assert OpenAIModel("gpt-4o-mini", "http://127.0.0.1:1/v1", None, 1).price() is None
    price = ModelPrice(Decimal(1), Decimal(2))
    assert OpenAIModel("small", "http://127.0.0.1:1/v1", None, 1, price).price() == price
    assert price.usd(1_000_000, 500_000) == 2


def test_key_is_masked_in_every_text() -> None:
    OpenAIModel("small", "http://127.0.0.1:1/v1", "a-key-that-nobody-knows", 1)
    assert "a-key-that-nobody-knows" not in mask_known_secrets("the key a-key-that-nobody-knows")


@pytest.mark.parametrize("name", ["gpt-4o-mini", "nonsense:gpt"])
async def test_model_refuses_unknown_provider(name: str) -> None:
    with pytest.raises(SettingInvalid, match="ROOST_MODEL"):
        await OpenAIModel(name, None, "k", 1).complete(PROMPT)
