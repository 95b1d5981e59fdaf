"""Opens the model that the settings name."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing a model's client takes long, and without ROOST_MODEL nothing needs it
    from roost.agents.openai_model import OpenAIModel
    from roost.settings import Settings


@contextlib.asynccontextmanager
async def open_model(settings: "Settings") -> "AsyncIterator[OpenAIModel | None]":
    """Open the model that the settings name; yield None if they name no model.

    Raises: ExtraMissing; SettingInvalid.
    """
    if settings.model is None:
        yield None
        return
    from roost.agents.openai_model import OpenAIModel

    timeout = settings.model_timeout.total_seconds()
    model = OpenAIModel(settings.model, settings.model_url, settings.model_key, timeout)
    async with model:
        yield model
