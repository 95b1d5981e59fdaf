"""Models of OpenAI-compatible servers and of the other providers of pydantic-ai."""

from roost.agents.model import ModelPrice, Prompt, Reply


class OpenAIModel:
    """A model by its name, such as `openai:NAME`, or by the URL of an OpenAI-compatible server."""

    def __init__(
        self,
        name: str,
        url: str | None,
        key: str | None,
        timeout: float,
        price: ModelPrice | None = None,
    ) -> None:
        self.name = name
        self._url = url
        self._key = key
        self._timeout = timeout
        self._price = price

    async def complete(self, prompt: Prompt) -> Reply:
        """Answer a prompt. Raises: ModelUnavailable; ModelReplyInvalid."""
        raise NotImplementedError

    def price(self) -> ModelPrice | None:
        """Return the price, or None if it is not known."""
        return self._price
