"""The JSON output of each command; `tools/make_docs.py` writes a JSON Schema for each."""

from collections.abc import Mapping
from typing import Final

from roost.cli.schemas.accounts import ConnectedAccountOutput, MetricsOutput
from roost.cli.schemas.checks import CheckOutput
from roost.cli.schemas.drafts import (
    BriefLintOutput,
    DraftDetailOutput,
    DraftListOutput,
    StoredDraftListOutput,
    TenantOutput,
)
from roost.cli.schemas.errors import ErrorOutput
from roost.cli.schemas.fields import Output
from roost.cli.schemas.health import AlertListOutput, DoctorOutput, PauseOutput, ResumeOutput
from roost.cli.schemas.installation import (
    DemoOutput,
    EmulatorAppOutput,
    InitOutput,
    ListeningOutput,
    WorkerOutput,
)
from roost.cli.schemas.plans import ImportOutput, PreviewOutput
from roost.cli.schemas.posts import PostDetailOutput, PostListOutput, PostOutput
from roost.cli.schemas.reports import ReportListOutput, ReportOutput

#: The model of each output, by the name of its JSON Schema, which begins with the command's name.
OUTPUTS: Final[Mapping[str, type[Output]]] = {
    "alerts": AlertListOutput,
    "approve": PostOutput,
    "cancel": PostOutput,
    "check": CheckOutput,
    "connect": ConnectedAccountOutput,
    "demo": DemoOutput,
    "doctor": DoctorOutput,
    "draft": DraftListOutput,
    "draft-draft": DraftDetailOutput,
    "draft-lint": BriefLintOutput,
    "drafts": StoredDraftListOutput,
    "edit": PostOutput,
    "emulator": ListeningOutput,
    "emulator-app": EmulatorAppOutput,
    "error": ErrorOutput,
    "import": ImportOutput,
    "init": InitOutput,
    "metrics": MetricsOutput,
    "pause": PauseOutput,
    "posts": PostListOutput,
    "posts-post": PostDetailOutput,
    "publish": PostOutput,
    "publish-dry-run": PreviewOutput,
    "report": ReportOutput,
    "reports": ReportListOutput,
    "resolve": PostOutput,
    "resume": ResumeOutput,
    "serve": ListeningOutput,
    "tenant": TenantOutput,
    "worker": WorkerOutput,
}
