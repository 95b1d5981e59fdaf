"""Publishes due posts exactly once, and uploads their files ahead of time.

The path of a part: `run` loads its post and lets `roost.publishing.next_step` decide, `send` sends
it, `search` looks for it on X, `outcomes` commits every result, `waits` lets it wait. `context` is
what they share.
"""

from roost.services.publish.run import publish_post
from roost.services.publish.uploads import prepare_post

__all__ = ["prepare_post", "publish_post"]
