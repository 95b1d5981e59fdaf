"""A process that requests a token ten times at once, and prints the tokens' hashes."""

import asyncio
import hashlib
import sys

from roost import store
from roost.account_client import StoredTokenSource
from roost.models import IntegrationId, TenantId
from roost.runtime import open_runtime
from roost.settings import read_settings


async def main() -> None:
    async with open_runtime(read_settings()) as runtime:
        async with runtime.database.for_tenant(TenantId(int(sys.argv[1]))) as transaction:
            account = await store.integrations.get(transaction, IntegrationId(int(sys.argv[2])))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        tokens = await asyncio.gather(
            *(StoredTokenSource(runtime, account).get() for _ in range(10))
        )
        sys.stdout.write("\n".join(hashlib.sha256(each.encode()).hexdigest() for each in tokens))


asyncio.run(main())
