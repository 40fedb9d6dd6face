"""FastMCP's client signs in by itself and uses what it gets. Prints whose token it has and "ok", or
fails.

fastmcp_client.py http|sse legacy|modern URL STORE

BROWSER opens URLs for the user. STORE is a folder that the next start reads.
"""

import asyncio
import os
import sys

from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from key_value.aio.stores.filetree import (
    FileTreeStore,
    FileTreeV1CollectionSanitizationStrategy,
    FileTreeV1KeySanitizationStrategy,
)

KIND, ERA, URL, STORE = sys.argv[1:]


async def main():
    os.makedirs(STORE, exist_ok=True)
    store = FileTreeStore(
        data_directory=STORE,
        key_sanitization_strategy=FileTreeV1KeySanitizationStrategy(STORE),
        collection_sanitization_strategy=FileTreeV1CollectionSanitizationStrategy(STORE),
    )
    auth = OAuth(token_storage=store)
    transport = {"http": StreamableHttpTransport, "sse": SSETransport}[KIND](URL, auth=auth)
    mode = {"legacy": "legacy", "modern": "2026-07-28"}[ERA]
    async with Client(transport, mode=mode) as client:
        assert len(await client.list_tools()) > 8
        echoed = await client.call_tool("echo", {"message": "hi"})
        assert echoed.content[0].text == "Echo: hi", echoed
        me = (await client.call_tool("whoami")).structured_content
        print("user", me["caller"]["user"])
        print("revision", me["protocolVersion"])
        print("scopes", *me["caller"]["scopes"], flush=True)

        # When its access token's time has come, it gets another one and goes on as the same user.
        before = auth.context.current_tokens.access_token
        auth.context.token_expiry_time = 1
        again = (await client.call_tool("whoami")).structured_content
        assert again["caller"]["user"] == me["caller"]["user"], again
        assert auth.context.current_tokens.access_token != before
    print("ok")


asyncio.run(main())
