"""The official Python SDK uses every feature. Prints "ok", or fails.

sdk.py http|sse URL TOKEN
"""

import sys

import anyio
from mcp import ClientSession, types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client

KIND, URL, TOKEN = sys.argv[1:]


async def sample(context, params):
    text = f"sampled {params.messages[0].content.text}"
    content = types.TextContent(type="text", text=text)
    return types.CreateMessageResult(role="assistant", model="m", content=content)


async def elicit(context, params):
    return types.ElicitResult(action="accept", content={"name": "Ada", "check": True})


async def list_roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///home/ada", name="home")])


async def main():
    headers = {"Authorization": f"Bearer {TOKEN}"}
    connect = {"http": streamablehttp_client, "sse": sse_client}[KIND]
    send, receive = anyio.create_memory_object_stream(100)

    async def heard(message):
        if isinstance(message, Exception):
            raise message
        if isinstance(getattr(message, "root", None), types.ToolListChangedNotification):
            await send.send(message)

    async with connect(URL, headers=headers) as streams:
        async with ClientSession(
            streams[0],
            streams[1],
            sampling_callback=sample,
            elicitation_callback=elicit,
            list_roots_callback=list_roots,
            message_handler=heard,
        ) as session:
            await session.initialize()
            # Often enough that every instance has its turn at everything.
            for round in range(9):
                await use(session, round, receive)
    print("ok")


async def use(session, round, changes):
    async def text(name, arguments=None):
        result = await session.call_tool(name, arguments or {})
        assert not result.isError, result
        return result.content[0].text

    assert len((await session.list_tools()).tools) > 8
    assert await text("echo", {"message": "hi"}) == "Echo: hi"
    assert await text("add", {"a": round, "b": 1}) == f"The sum of {round} and 1 is {round + 1}."
    assert "sampled Resource sampleLLM context: x" in await text("sampleLLM", {"prompt": "x"})
    assert "Ada" in await text("elicitInputs")
    assert "file:///home/ada" in await text("getRootsList")

    progress = []

    async def told(done, total, message):
        progress.append(done)

    operation = {"duration": 0.2, "steps": 4}
    await session.call_tool("longRunningOperation", operation, progress_callback=told)
    assert progress == [1, 2, 3, 4], progress

    resources = (await session.list_resources()).resources
    read = await session.read_resource(resources[0].uri)
    assert read.contents[0].uri == resources[0].uri
    await session.subscribe_resource(resources[0].uri)
    await session.unsubscribe_resource(resources[0].uri)
    assert len((await session.get_prompt("simple_prompt")).messages) == 1
    template = types.ResourceTemplateReference(type="ref/resource", uri="test://static/resource/{id}")
    completed = await session.complete(template, {"name": "id", "value": ""})
    assert len(completed.completion.values) > 3
    await session.set_logging_level("emergency")
    await session.send_ping()

    await text("test_trigger_tool_change")
    with anyio.fail_after(30):
        await changes.receive()


anyio.run(main)
