"""Errors of the language model that writes drafts. `BriefInvalid` is in `roost.errors`."""

from roost.errors import Broken, Busy, InvalidInput, Refused


class ModelUnavailable(Busy):
    """The model's server did not answer or refused the request, even after more attempts.

    `facts["may_be_billed"]` says whether the provider may bill the request although it failed.
    """

    default_next = "Try again later, or draft without a model."


class ModelReplyInvalid(Broken):
    """The model's server answered, but not in the form that its protocol requires."""

    default_next = "Check the settings ROOST_MODEL and ROOST_MODEL_URL."


class ModelBudgetExceeded(Refused):
    """The call to the model could cost more than is left of the month's cap."""

    default_next = "Raise the cap, wait for the next month, or draft without a model."


class ModelNeeded(InvalidInput):
    """Only a model can improve a draft by this instruction, and no model is set."""

    default_next = (
        "Set ROOST_MODEL. Without a model, `shorter` and `without the link` improve a draft."
    )
