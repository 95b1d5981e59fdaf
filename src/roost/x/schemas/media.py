"""Response bodies of media uploads, API v2 and v1.1."""

from typing import Any, ClassVar

import msgspec

from roost.x.schemas.response import ResponseBody


class ProcessingError(msgspec.Struct, frozen=True):
    """X's reason for not processing a file; both fields may be missing."""

    name: str = ""
    message: str = ""


class ProcessingInfo(msgspec.Struct, frozen=True):
    """The progress of X's processing of a GIF or a video."""

    state: str
    check_after_secs: int | None = None
    progress_percent: int | None = None
    error: ProcessingError | None = None


class MediaData(msgspec.Struct, frozen=True):
    """The state of an upload as X reports it."""

    id: str
    media_key: str | None = None
    expires_after_secs: int | None = None
    processing_info: ProcessingInfo | None = None


class MediaResponse(ResponseBody, frozen=True):
    """X's response to the requests of an upload: initialize, finalize and status."""

    data: MediaData

    def refusal(self) -> dict[str, Any] | None:
        """Return X's reason for not processing the file, in the form of a problem document.

        Return None if processing has not failed.
        """
        processing = self.data.processing_info
        if processing is None or processing.state != "failed":
            return None
        error = processing.error or ProcessingError()
        return {"title": error.name, "detail": error.message}


class MediaResponseV1(ResponseBody, frozen=True):
    """The response of API v1.1 to INIT, FINALIZE and STATUS."""

    media_id_string: str
    media_key: str | None = None
    expires_after_secs: int | None = None
    processing_info: ProcessingInfo | None = None

    @property
    def data(self) -> MediaData:
        """The upload in the form of API v2."""
        return MediaData(
            self.media_id_string, self.media_key, self.expires_after_secs, self.processing_info
        )

    def refusal(self) -> dict[str, Any] | None:
        """Return X's reason for not processing the file, in the form of a problem document.

        Return None if processing has not failed.
        """
        return MediaResponse(self.data).refusal()


class NoContent(ResponseBody, frozen=True):
    """A response whose content is not used: it has an object under `data`, or no body (204)."""

    empty_body: ClassVar[bytes] = b'{"data":{}}'

    data: dict[str, Any]
