"""The errors of drafts."""

from roost.errors import Conflict, NotFound, Refused


class DraftNotFound(NotFound):
    """No draft of the tenant has this number."""

    default_next = "List the drafts."


class DraftChanged(Conflict):
    """The draft, its account or its time is no longer what the given approval hash covers.

    `facts["approval_hash"]` is not given on purpose: the draft has to be read again.
    """

    default_next = "Read the draft again, and approve what it says now."


class DraftNotEditable(Conflict):
    """The state of the draft, or of the post that it became, does not allow the change."""


class PersonNeeded(Refused):
    """Drafts of this tenant may be scheduled only by a person."""

    default_next = (
        "Let a person approve the draft, or let an administrator allow drafts without a person for"
        " the tenant."
    )


class NothingToUndo(Conflict):
    """The draft's current revision is the first one."""


class ImprovementFailed(Refused):
    """No new text passed every validator, so the draft did not change.

    `facts["findings"]` has the codes of the validators, `facts["calls"]` the errors of the model.
    """

    default_next = "Word the instruction differently, or change the brief."
