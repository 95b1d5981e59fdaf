"""The health of an installation, for `roost doctor`, `/healthz` and the list of accounts."""

from roost.services.health.findings import HealthFinding, HealthStatus
from roost.services.health.installation import (
    check_database,
    check_settings,
    check_x,
    describe_login,
    describe_start_failure,
)
from roost.services.health.service import (
    ServiceHealth,
    ServiceStatus,
    get_service_health,
    is_worker_alive,
    probe_service,
    watch_lateness,
)
from roost.services.health.work import (
    check_account,
    check_work,
    list_all_accounts,
    price_live_check,
)

__all__ = [
    "HealthFinding",
    "HealthStatus",
    "ServiceHealth",
    "ServiceStatus",
    "check_account",
    "check_database",
    "check_settings",
    "check_work",
    "check_x",
    "describe_login",
    "describe_start_failure",
    "get_service_health",
    "is_worker_alive",
    "list_all_accounts",
    "price_live_check",
    "probe_service",
    "watch_lateness",
]
