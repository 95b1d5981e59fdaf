"""The errors of drafts."""

from roost.errors import Conflict, NotFound, Refused
from roost.next_actions import ActionCode


class DraftNotFound(NotFound):
    """No draft of the tenant has this number."""

    default_action = ActionCode.LIST_DRAFTS


class DraftChanged(Conflict):
    """The draft, its time or a file is not what was approved, or another change came first.

    The error does not give the new hash, because the draft has to be read again.
    """


class DraftNotEditable(Conflict):
    """The state of the draft, or of the post that it became, does not allow the change."""


class PersonNeeded(Refused):
    """Drafts of this tenant may be scheduled only by a person."""

    default_action = ActionCode.ALLOW_DRAFTS


class DraftHasDoubts(Refused):
    """The draft has doubts, so only a person may schedule the draft, whatever the tenant allows."""

    default_action = ActionCode.SHOW_DRAFT


class NothingToUndo(Conflict):
    """The draft's current revision is the first one."""


class ImprovementFailed(Refused):
    """No new text passed every validator, so the draft did not change.

    `facts["findings"]` has the codes of the validators, `facts["calls"]` the errors of the model.
    """

    default_next = "Word the instruction differently, or change the brief."
