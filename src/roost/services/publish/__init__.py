"""Publishes due posts exactly once, and uploads their files ahead of time.

`run` loads a post and executes the steps that `roost.publishing.next_step` decides on. `send` sends
a part, `search` searches X for a part, `outcomes` commits the result of each step, and `waits`
defers posts. `context` has the data that these modules share. `uploads` uploads the files.
"""

from roost.services.publish.run import publish_post
from roost.services.publish.uploads import prepare_post

__all__ = ["prepare_post", "publish_post"]
