"""Models of OpenAI-compatible servers, and of other providers that pydantic-ai supports.

`pydantic_ai` is imported on first use, because it takes seconds to load.
"""

import asyncio
import contextlib
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from roost.agents.errors import ModelReplyInvalid, ModelUnavailable
from roost.agents.model import ModelPrice, Prompt, Reply
from roost.errors import SettingInvalid
from roost.extras import require_extra
from roost.scrub import register_secrets

if TYPE_CHECKING:
    from pydantic_ai.exceptions import ModelAPIError
    from pydantic_ai.models import Model as PydanticModel

_ATTEMPTS: Final = 3
_FIRST_DELAY_S: Final = 0.5
#: If a server asks for a longer delay before the next attempt, there is no further attempt.
_LONGEST_DELAY_S: Final = 20.0
_MILLION: Final = 1_000_000


class OpenAIModel:
    """A model of a provider (`openai:NAME`, `anthropic:NAME` …), or of a server with a URL.

    `url` is the address of any OpenAI-compatible server, such as `http://127.0.0.1:8080/v1`.
    `timeout` is the longest time of one attempt, in seconds. The class needs the extra `ai`. Inside
    `async with`, the model keeps its connections open between calls; otherwise, each call opens new
    ones.

    Raises: ExtraMissing; SettingInvalid (a name without a provider needs a URL).
    """

    def __init__(
        self,
        name: str,
        url: str | None,
        key: str | None,
        timeout: float,
        price: ModelPrice | None = None,
    ) -> None:
        require_extra("ai", purpose="A model")
        if url is None and ":" not in name:
            raise SettingInvalid(
                f"ROOST_MODEL is {name!r}: without ROOST_MODEL_URL, the name of the provider comes"
                " first, as in `openai:NAME`.",
                setting="ROOST_MODEL",
            )
        if key:
            register_secrets([key])
        self.name = name
        self._url = url
        self._key = key
        self._timeout = timeout
        self._kept: PydanticModel | None = None
        self._price = price if price is not None or url is not None else _find_price(name)

    async def __aenter__(self) -> Self:
        self._kept = await self._open().__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.__aexit__(None, None, None)

    def price(self) -> ModelPrice | None:
        """Return the price that the constructor got, or the list price; None if none is known.

        A model at a `url` has no list price.
        """
        return self._price

    async def complete(self, prompt: Prompt) -> Reply:
        """Answer a prompt, with up to three attempts.

        If the request was sent but no response arrived, the provider may bill the attempt. Such an
        attempt is not repeated here: the caller decides whether to reserve the price again.
        Raises: ModelUnavailable; ModelReplyInvalid.
        """
        from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._ask(prompt)
            except ModelAPIError as error:
                if attempt == _ATTEMPTS or not _may_repeat(error):
                    raise _describe(self.name, error, attempt) from None
                await asyncio.sleep(_delay(attempt, error))
            except (UnexpectedModelBehavior, ValueError, TypeError, LookupError) as error:
                # The libraries raise the last three if the JSON of a response has unexpected types.
                raise ModelReplyInvalid(
                    f"The server of the model {self.name} did not answer in its protocol's form:"
                    f" {type(error).__name__}.",
                    did="The reply was not used.",
                ) from None
        raise AssertionError("the last attempt returns or raises")

    async def _ask(self, prompt: Prompt) -> Reply:
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart

        async with contextlib.AsyncExitStack() as opened:
            model = self._kept
            if model is None:
                model = await opened.enter_async_context(self._open())
            response = await model_request(
                model,
                [
                    ModelRequest(
                        parts=[SystemPromptPart(prompt.system), UserPromptPart(prompt.user)]
                    )
                ],
                model_settings={
                    "max_tokens": prompt.max_output_tokens,
                    "timeout": self._timeout,
                    # `timeout` restarts with every byte; this one limits the whole request.
                    "request_timeout": self._timeout,
                },
                instrument=False,
            )
        usage = response.usage
        return Reply(response.text or "", usage.input_tokens, usage.output_tokens)

    def _open(self) -> "PydanticModel":
        """Create the model with a new HTTP client, which the caller must close.

        Raises: SettingInvalid (an unknown provider, or one whose package or key is missing).
        """
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers import infer_provider_class
        from pydantic_ai.providers.openai import OpenAIProvider

        if self._url is not None:
            # A local server needs no key, but the client does. A client without a key would read
            # OPENAI_API_KEY, and send another provider's key to this server.
            provider = OpenAIProvider(base_url=self._url, api_key=self._key or "none")
            provider.client.max_retries = 0
            name = self.name.removeprefix("openai:")
            # Local servers know only `max_tokens`, the older parameter that limits the output.
            profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
            return OpenAIChatModel(name, provider=provider, profile=profile)

        def open_provider(name: str) -> Any:
            arguments = {"api_key": self._key} if self._key else {}
            opened: Any = infer_provider_class(name)(**arguments)
            # The client must not retry, because `complete` decides whether to retry.
            if hasattr(opened.client, "max_retries"):
                opened.client.max_retries = 0
            return opened

        try:
            return infer_model(self.name, provider_factory=open_provider)
        except (UserError, ValueError, ImportError) as error:
            raise SettingInvalid(
                f"ROOST_MODEL is {self.name!r}, which cannot be used: {error}",
                setting="ROOST_MODEL",
            ) from None


def _may_repeat(error: "ModelAPIError") -> bool:
    """Whether to retry: the error is temporary, and the provider does not bill the attempt."""
    from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError

    if error.retry_after is not None and error.retry_after > _LONGEST_DELAY_S:
        return False
    if isinstance(error, ModelConnectionError):
        return error.phase in ("pool", "connect")
    return isinstance(error, ModelHTTPError) and (
        error.status_code in (408, 409, 429) or error.status_code >= 500
    )


def _delay(attempt: int, error: "ModelAPIError") -> float:
    """Return the seconds before the next attempt: doubled each time, with jitter.

    The result is never shorter than the delay for which the server asks.
    """
    longest: float = _FIRST_DELAY_S * 2**attempt
    jittered = random.uniform(longest / 2, longest)  # noqa: S311  not a secret
    return max(jittered, error.retry_after or 0.0)


def _describe(name: str, error: "ModelAPIError", attempts: int) -> ModelUnavailable:
    """Return a ModelUnavailable without the server's text, which may quote the prompt or key."""
    from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError

    status = error.status_code if isinstance(error, ModelHTTPError) else None
    if status is not None:
        what = f"answered with status {status}"
    elif isinstance(error, ModelConnectionError) and error.phase in ("pool", "connect"):
        what = "cannot be reached"
    else:
        what = "did not answer in time, or broke off its answer"
    return ModelUnavailable(
        f"The server of the model {name} {what} ({attempts} of {_ATTEMPTS} attempts).",
        did="The reply was not used.",
        status=status,
        attempts=attempts,
        may_be_billed=status is None and what != "cannot be reached",
    )


def _find_price(name: str) -> ModelPrice | None:
    """Return the list price of a hosted model, from the data of `genai-prices`."""
    from genai_prices import Usage, calc_price

    provider, _, model = name.partition(":")

    def per_million(usage: Usage) -> Decimal:
        found = calc_price(usage, model, provider_id=provider)
        # This is the price of a short prompt. Some models charge more for one of 200,000 tokens.
        return found.total_price * _MILLION / 1000

    try:
        return ModelPrice(
            per_million(Usage(input_tokens=1000)), per_million(Usage(output_tokens=1000))
        )
    except LookupError:
        return None
