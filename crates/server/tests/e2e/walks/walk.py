"""An official Python SDK, or FastMCP, uses everything that the server lists, and says on each line of
its standard output what it did and what came of it, as JSON. Whether that is right is judged
elsewhere.

walk.py mcp|fastmcp PLAN
"""

import functools
import json
import pathlib
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import anyio
from mcp import ClientSession, StdioServerParameters, stdio_client, types
from mcp.client.sse import sse_client
from mcp.shared._httpx_utils import create_mcp_http_client

LIBRARY, FILE = sys.argv[1:]
PLAN = json.loads(pathlib.Path(FILE).read_text())
TABLE = PLAN["table"]
KIND, MODERN = PLAN["kind"], PLAN["era"] == "modern"
FIRST = version("mcp").startswith("1.")
HEADERS = {"Authorization": f"Bearer {PLAN['token']}"}


def can(feature):
    return feature not in PLAN["cannot"]


def plain(what):
    """As it is on the wire."""
    return what.model_dump(mode="json", by_alias=True, exclude_none=True)


def say(did, **more):
    print(json.dumps({"did": did, **more}), flush=True)


# --- What the server asks.


async def sample(context, params):
    """Where there are tools, the model uses one and then answers."""
    params = plain(params)
    say("asked", method="sampling/createMessage", params=params)
    last = params["messages"][-1]["content"]
    done = any(each["type"] == "tool_result" for each in (last if isinstance(last, list) else [last]))
    if params.get("tools") and not done:
        use = types.ToolUseContent(type="tool_use", id="use-1", **TABLE["answers"]["use"])
        return types.CreateMessageResultWithTools.model_validate(
            {"role": "assistant", "model": "m", "content": plain(use), "stopReason": "toolUse"}
        )
    content = types.TextContent(type="text", text=TABLE["answers"]["sampling"])
    return types.CreateMessageResult(role="assistant", model="m", content=content)


SAMPLING = types.SamplingCapability(tools=types.SamplingToolsCapability())


async def elicit(context, params):
    params = plain(params)
    say("asked", method="elicitation/create", params=params)
    if params.get("mode") == "url":
        # A page is for a user with a browser, and here is none.
        return types.ElicitResult(action="decline")
    form = TABLE["answers"]["form"]
    asked = params.get("requestedSchema", {}).get("properties", {})
    content = {name: form[name] for name in asked if name in form}
    return types.ElicitResult(action="accept", content=content)


async def list_roots(context):
    say("asked", method="roots/list", params={})
    return types.ListRootsResult(roots=[types.Root(**TABLE["answers"]["root"])])


class Ears:
    """What the server says unasked."""

    def __init__(self):
        self.heard = set()
        self.changed = anyio.Event()

    def hear(self, method, params=None):
        say("heard", method=method, params=params)
        self.heard.add(method)
        self.changed.set()
        self.changed = anyio.Event()

    async def message(self, message):
        message = getattr(message, "root", message)
        if isinstance(message, Exception):
            raise message
        if hasattr(message, "method"):
            message = plain(message)
            self.hear(message["method"], message.get("params"))

    async def log(self, params):
        self.hear("notifications/message", plain(params))

    async def hears(self, method):
        with anyio.fail_after(50):
            while method not in self.heard:
                await self.changed.wait()


# --- How it connects.


class Breakable:
    """The connection of one call breaks after its first progress."""

    def __init__(self, inner):
        self.inner = inner
        self.breaks = False

    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        stream = "event-stream" in response.headers.get("content-type", "")
        if self.breaks and request.method == "POST" and stream:
            self.breaks = False
            response.stream = self.cut(response.stream)
        return response

    @staticmethod
    def cut(stream):
        kind = [base for base in type(stream).__mro__ if base.__name__ == "AsyncByteStream"][0]

        class Cut(kind):
            async def __aiter__(self):
                seen = b""
                async for chunk in stream:
                    yield chunk
                    seen += chunk
                    if b"notifications/progress" in seen:
                        say("broke")
                        return

            async def aclose(self):
                await stream.aclose()

        return Cut()

    async def __aenter__(self):
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *args):
        await self.inner.__aexit__(*args)

    async def aclose(self):
        await self.inner.aclose()


breakable = None


def http_client(**options):
    global breakable
    options.pop("follow_redirects", None)
    client = create_mcp_http_client(**options)
    breakable = client._transport = Breakable(client._transport)
    return client


def stdio():
    program, *arguments = PLAN["command"]
    return stdio_client(StdioServerParameters(command=program, args=arguments))


@asynccontextmanager
async def connected_1(ears):
    from mcp.client.streamable_http import streamablehttp_client

    transport = {
        "http": lambda: streamablehttp_client(
            PLAN["url"], headers=HEADERS, httpx_client_factory=http_client
        ),
        "sse": lambda: sse_client(PLAN["url"], headers=HEADERS),
        "stdio": stdio,
    }[KIND]()
    async with transport as streams:
        async with ClientSession(
            streams[0],
            streams[1],
            sampling_callback=sample,
            sampling_capabilities=SAMPLING,
            elicitation_callback=elicit,
            list_roots_callback=list_roots,
            message_handler=ears.message,
        ) as session:
            result = await session.initialize()
            yield session, plain(result)["protocolVersion"]


@asynccontextmanager
async def connected_2(ears):
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async with AsyncExitStack() as stack:
        if KIND == "http":
            http = await stack.enter_async_context(http_client(headers=HEADERS))
            transport = streamable_http_client(PLAN["url"], http_client=http)
        else:
            transport = sse_client(PLAN["url"], headers=HEADERS) if KIND == "sse" else stdio()
        client = Client(
            transport,
            mode="2026-07-28" if MODERN else "legacy",
            sampling_callback=sample,
            sampling_capabilities=SAMPLING,
            elicitation_callback=elicit,
            list_roots_callback=list_roots,
            message_handler=ears.message,
            log_level="debug" if MODERN else None,
        )
        yield await stack.enter_async_context(client), client.protocol_version


@asynccontextmanager
async def connected_fastmcp(ears):
    from fastmcp import Client
    from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport

    transport = {
        "http": lambda: StreamableHttpTransport(
            PLAN["url"], headers=HEADERS, httpx_client_factory=http_client
        ),
        "sse": lambda: SSETransport(PLAN["url"], headers=HEADERS),
        "stdio": lambda: StdioTransport(PLAN["command"][0], PLAN["command"][1:]),
    }[KIND]()

    async def sampling(messages, params, context):
        return await sample(context, params)

    async def elicitation(message, response_type, params, context):
        return await elicit(context, params)

    async def roots(context):
        return (await list_roots(context)).roots

    client = Client(
        transport,
        mode="2026-07-28" if MODERN else "legacy",
        sampling_handler=sampling,
        sampling_capabilities=SAMPLING,
        elicitation_handler=elicitation,
        roots=roots,
        message_handler=ears.message,
    )
    async with client:
        yield FastMcp(client), client.protocol_version


class FastMcp:
    """What FastMCP has a call of its own for; the rest is the SDK's, which is below it."""

    def __init__(self, client):
        from mcp.client.subscriptions import listen

        self.get_prompt = client.get_prompt_mcp
        self.read_resource = client.read_resource_mcp
        self.complete = client.complete_mcp
        self.set_logging_level = client.set_logging_level
        self.send_ping = client.ping
        self.send_roots_list_changed = client.send_roots_list_changed
        self.listen = functools.partial(listen, client.session)
        self.subscribe_resource = client.session.subscribe_resource
        self.unsubscribe_resource = client.session.unsubscribe_resource
        self.client = client

    async def call_tool(self, name, arguments, progress_callback):
        return await self.client.call_tool_mcp(name, arguments, progress_handler=progress_callback)

    def __getattr__(self, name):
        """The lists, page by page."""
        return getattr(self.client, f"{name}_mcp")


CONNECTED = {"fastmcp": connected_fastmcp, "mcp": connected_1 if FIRST else connected_2}[LIBRARY]


# --- What it does.


async def every(what, attribute, list_page):
    items, pages, cursor = [], 0, None
    while True:
        page = await (list_page(cursor) if cursor else list_page())
        items += [plain(item) for item in getattr(page, attribute)]
        cursor = getattr(page, "nextCursor" if FIRST else "next_cursor")
        pages += 1
        if cursor is None:
            break
    names = [item.get("uri") or item.get("uriTemplate") or item["name"] for item in items]
    say("listed", what=what, names=names, pages=pages)
    return names


async def attempt(did, ask, **more):
    try:
        result = await ask()
    except Exception as error:
        inner = getattr(error, "error", None)
        said = plain(inner) if inner is not None else {"message": repr(error)}
        say(did, error=said, **more)
    else:
        say(did, result=result if isinstance(result, dict) else plain(result), **more)


async def call(client, name, arguments):
    progress = []

    async def told(done, total, message):
        progress.append(done)

    async def ask():
        result = await client.call_tool(name, arguments, progress_callback=told)
        return {**plain(result), "progress": len(progress)}

    await attempt("called", ask, name=name)


async def complete(client, ref, of):
    for name, each in (of or {}).get("complete", {}).items():
        argument = {"name": name, "value": each["value"]}
        context = each.get("context")
        ask = functools.partial(client.complete, ref, argument, context_arguments=context)
        await attempt("completed", ask, ref=plain(ref), argument=argument)


async def walk(client, ears):
    def page_of(method):
        if FIRST:

            def ask(cursor=None):
                return method(params=types.PaginatedRequestParams(cursor=cursor))

            return ask
        pages = {} if LIBRARY == "fastmcp" else {"cache_mode": "refresh"}
        return lambda cursor=None: method(cursor=cursor, **pages)

    called = set()
    while True:
        names = await every("tools", "tools", page_of(client.list_tools))
        fresh = [name for name in names if name not in called]
        if not fresh:
            break
        for name in fresh:
            called.add(name)
            await call(client, name, TABLE["tools"].get(name, {}).get("arguments", {}))

    for name in await every("prompts", "prompts", page_of(client.list_prompts)):
        known = TABLE["prompts"].get(name, {})
        arguments = known.get("arguments")
        await attempt("got", functools.partial(client.get_prompt, name, arguments), name=name)
        await complete(client, types.PromptReference(type="ref/prompt", name=name), known)

    async def read(uri):
        await attempt("read", functools.partial(client.read_resource, uri), uri=uri)

    for uri in await every("resources", "resources", page_of(client.list_resources)):
        await read(uri)
    templates = "resourceTemplates" if FIRST else "resource_templates"
    for uri in await every("resourceTemplates", templates, page_of(client.list_resource_templates)):
        known = TABLE["templates"].get(uri)
        if known:
            await read(known["uri"])
        await complete(client, types.ResourceTemplateReference(type="ref/resource", uri=uri), known)

    if can("resumption"):
        breakable.breaks = True
        await call(client, "longRunningOperation", {"duration": 3, "steps": 6})
    if can("cancellation"):
        await cancel(client)
    if can("roots") and not MODERN:
        await client.send_roots_list_changed()
    if can("log messages"):
        await ears.hears("notifications/message")
    if can("updates"):
        await ears.hears("notifications/resources/updated")
    if can("list changes"):
        for method in TABLE["changes"]:
            await ears.hears(method)


async def cancel(client):
    """Leaves a call at its first progress."""
    arguments = {"duration": 600, "steps": 1000}
    with anyio.CancelScope() as scope:

        async def told(done, total, message):
            scope.cancel()

        await client.call_tool("longRunningOperation", arguments, progress_callback=told)
    if scope.cancelled_caught:
        say("cancelled")


EVENTS = {
    "ToolsListChanged": "notifications/tools/list_changed",
    "PromptsListChanged": "notifications/prompts/list_changed",
    "ResourcesListChanged": "notifications/resources/list_changed",
    "ResourceUpdated": "notifications/resources/updated",
}


@asynccontextmanager
async def listening(client, ears):
    """Hears of changes, on the revision that has it so."""
    async with client.listen(
        tools_list_changed=True,
        prompts_list_changed=True,
        resources_list_changed=True,
        resource_subscriptions=[TABLE["subscribe"]],
    ) as subscription:
        say("subscribed")

        async def follow():
            async for event in subscription:
                ears.hear(EVENTS[type(event).__name__])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            yield
            tasks.cancel_scope.cancel()


async def main():
    ears = Ears()
    async with CONNECTED(ears) as (client, revision):
        say("connected", revision=revision)
        if MODERN and can("updates"):
            async with listening(client, ears):
                await walk(client, ears)
        else:
            if not MODERN:
                await client.subscribe_resource(TABLE["subscribe"])
                say("subscribed")
                await client.set_logging_level("debug")
                await client.send_ping()
            await walk(client, ears)
            if not MODERN:
                await client.unsubscribe_resource(TABLE["subscribe"])
    say("left")


anyio.run(main)
