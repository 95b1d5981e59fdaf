"""The named places between two steps of publishing, told to observers as they are reached."""

from enum import StrEnum


class Failpoint(StrEnum):
    """Every place where a worker can die between two steps; the tests end one at each."""

    UPLOAD_BEFORE_SEND = "upload.before_send"
    UPLOAD_AFTER_SEGMENT = "upload.after_segment"
    """X has acknowledged something of a file, and the row says so."""
    UPLOAD_AFTER_SEND = "upload.after_send"
    UPLOAD_AFTER_COMMIT = "upload.after_commit"
    CREATE_BEFORE_COMMIT = "create.before_commit"
    CREATE_BEFORE_SEND = "create.before_send"
    CREATE_AFTER_SEND = "create.after_send"
    CREATE_AFTER_COMMIT = "create.after_commit"
    READ_BEFORE_SEND = "read.before_send"
    READ_AFTER_SEND = "read.after_send"
    READ_AFTER_COMMIT = "read.after_commit"
    REFRESH_BEFORE_SEND = "refresh.before_send"
    REFRESH_AFTER_SEND = "refresh.after_send"
    REFRESH_AFTER_COMMIT = "refresh.after_commit"
    POST_BEFORE_SETTLED = "post.before_settled"
    """Of a post that ends otherwise than with every part on X, which is one commit with the last
    part's."""
    POST_AFTER_SETTLED = "post.after_settled"
