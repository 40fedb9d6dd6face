"""An official Python SDK signs in by itself and uses what it gets. Prints whose token it has and
"ok", or fails.

sign_in.py http|sse legacy|modern URL STORE

BROWSER opens URLs for the user. STORE is a file that the next start reads.
"""

import json
import pathlib
import sys
import webbrowser
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from urllib.parse import parse_qs, urlparse

import anyio
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

KIND, ERA, URL, STORE = sys.argv[1:]
LINE = version("mcp").split(".")[0]


class Callback(BaseHTTPRequestHandler):
    """Where the browser comes back to: on another port at each start."""

    def do_GET(self):
        url = urlparse(self.path)
        if url.path == "/callback":
            self.server.answer = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Back at the client")

    def log_message(self, *_):
        pass


class Storage:
    """What outlives the process."""

    def __init__(self):
        self.file = pathlib.Path(STORE)
        self.kept = json.loads(self.file.read_text()) if self.file.exists() else {}

    def keep(self, name, what):
        self.kept[name] = what.model_dump(mode="json", exclude_none=True)
        self.file.write_text(json.dumps(self.kept))

    async def get_tokens(self):
        return OAuthToken(**self.kept["tokens"]) if "tokens" in self.kept else None

    async def set_tokens(self, tokens):
        self.keep("tokens", tokens)

    async def get_client_info(self):
        return OAuthClientInformationFull(**self.kept["client"]) if "client" in self.kept else None

    async def set_client_info(self, client):
        self.keep("client", client)


def provider(storage):
    server = HTTPServer(("127.0.0.1", 0), Callback)

    async def redirect(url):
        webbrowser.open(url)

    async def callback():
        server.answer = None
        while server.answer is None:
            await anyio.to_thread.run_sync(server.handle_request)
        answer = server.answer
        if LINE == "1":
            return answer["code"], answer["state"]
        from mcp.shared.auth import AuthorizationCodeResult

        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

    metadata = OAuthClientMetadata(
        client_name=f"Python SDK {LINE}",
        redirect_uris=[f"http://127.0.0.1:{server.server_port}/callback"],
    )
    return OAuthClientProvider(URL, metadata, storage, redirect, callback)


@asynccontextmanager
async def connected(auth):
    """A client with a session, where there are sessions."""
    if LINE == "1":
        from mcp.client.streamable_http import streamablehttp_client

        connect = {"http": streamablehttp_client, "sse": sse_client}[KIND]
        async with connect(URL, auth=auth) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                yield session
        return

    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    mode = {"legacy": "legacy", "modern": "2026-07-28"}[ERA]
    async with create_mcp_http_client(auth=auth) as http:
        transport = {
            "http": lambda: streamable_http_client(URL, http_client=http),
            "sse": lambda: sse_client(URL, auth=auth),
        }[KIND]()
        async with Client(transport, mode=mode) as client:
            yield client


async def main():
    storage = Storage()
    auth = provider(storage)
    async with connected(auth) as client:

        async def call(name, arguments=None):
            result = await client.call_tool(name, arguments or {})
            result = result.model_dump(by_alias=True)
            assert not result["isError"], result
            return result

        assert len((await client.list_tools()).tools) > 8
        echoed = await call("echo", {"message": "hi"})
        assert echoed["content"][0]["text"] == "Echo: hi", echoed
        me = (await call("whoami"))["structuredContent"]
        print("user", me["caller"]["user"])
        print("revision", me["protocolVersion"])
        print("scopes", *me["caller"]["scopes"], flush=True)

        # When its access token's time has come, it gets another one and goes on as the same user.
        before = storage.kept["tokens"]["access_token"]
        auth.context.token_expiry_time = 1
        again = (await call("whoami"))["structuredContent"]
        assert again["caller"]["user"] == me["caller"]["user"], again
        assert storage.kept["tokens"]["access_token"] != before
    print("ok")


anyio.run(main)
