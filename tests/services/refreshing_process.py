"""A process that uses one account's grant ten times at once: prints the tokens, hashed."""

import asyncio
import hashlib
import sys

from roost import store
from roost.accounts import Grant
from roost.house import open_house
from roost.models import IntegrationId, TenantId
from roost.settings import read_settings


async def main() -> None:
    async with open_house(read_settings()) as house:
        async with house.database.tenant(TenantId(int(sys.argv[1]))) as transaction:
            account = await store.accounts.get(transaction, IntegrationId(int(sys.argv[2])))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        tokens = await asyncio.gather(*(Grant(house, account).get() for _ in range(10)))
        sys.stdout.write("\n".join(hashlib.sha256(each.encode()).hexdigest() for each in tokens))


asyncio.run(main())
