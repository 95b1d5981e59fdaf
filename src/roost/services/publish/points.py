"""The named places between two steps of publishing, told to observers as they are reached."""

from enum import StrEnum


class Point(StrEnum):
    """Every place where a worker can die between two steps; the tests end one at each."""

    UPLOAD_BEFORE_SEND = "upload.before_send"
    UPLOAD_AFTER_SEND = "upload.after_send"
    UPLOAD_AFTER_COMMIT = "upload.after_commit"
    CREATE_BEFORE_COMMIT = "create.before_commit"
    CREATE_BEFORE_SEND = "create.before_send"
    CREATE_AFTER_SEND = "create.after_send"
    CREATE_AFTER_COMMIT = "create.after_commit"
    READ_BEFORE_SEND = "read.before_send"
    READ_AFTER_SEND = "read.after_send"
    READ_AFTER_COMMIT = "read.after_commit"
    POST_BEFORE_SETTLED = "post.before_settled"
    POST_AFTER_SETTLED = "post.after_settled"
