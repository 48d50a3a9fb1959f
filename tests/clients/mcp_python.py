#!/usr/bin/env python3
"""Goes through all of `reflectt mcp` with the `mcp` package, the official one for Python.

    mcp_python.py 2026-07-28|auto|legacy

`$REFLECTT` is the program; the agents `kai` and `link` of a team have the worktrees `$KAI` and
`$LINK`, in a repository without tasks. `legacy` shakes hands by `initialize`, the others by
`server/discover` or not at all. Prints `ok` and what it did, or ends with what was wrong.
"""

import asyncio
import contextlib
import os
import sys
import warnings

import jsonschema
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters

import steps

NEWEST = "2026-07-28"
SECONDS = 20


def server(agent):
    env = {**os.environ, "REFLECTT_AGENT": agent}
    args = {"command": os.environ["REFLECTT"], "args": ["mcp"]}
    return StdioServerParameters(**args, env=env, cwd=os.environ[agent.upper()])


class Session:
    """One client at a server of its own."""

    def __init__(self, agent, mode):
        self.updated = asyncio.Queue()
        self.client = Client(
            server(agent),
            mode=mode,
            cache=None,
            read_timeout_seconds=SECONDS,
            message_handler=self.take,
        )
        self.tools = {}

    async def take(self, message):
        if isinstance(message, types.ResourceUpdatedNotification):
            await self.updated.put(str(message.params.uri))

    async def read_tools(self):
        listed = await self.client.list_tools()
        for tool in listed.tools:
            for schema in (tool.input_schema, tool.output_schema):
                jsonschema.Draft202012Validator.check_schema(schema)
            self.tools[tool.name] = tool
        again = await self.client.list_tools()
        assert [tool.name for tool in again.tools] == list(self.tools), "another order"

    async def call(self, step, kept):
        arguments = steps.filled(step["arguments"], kept)
        tool = self.tools[step["tool"]]
        if step.get("refused"):
            # The arguments do not fit, which a careful client sees as well.
            valid = jsonschema.Draft202012Validator(tool.input_schema).is_valid(arguments)
            assert not valid, f"{step} fits"
            with contextlib.suppress(MCPError):
                result = await self.client.call_tool(tool.name, arguments)
                assert result.is_error, result
            return
        jsonschema.validate(arguments, tool.input_schema)
        # The client itself checks the answer against the tool's schema.
        result = await self.client.call_tool(tool.name, arguments)
        content = result.structured_content
        if not result.is_error:
            jsonschema.validate(content, tool.output_schema)
        steps.judge(step, kept, result.is_error, content)


async def go_through(sessions):
    """Takes every step of the table, and finds that they use every tool."""
    kept, used = {}, set()
    for step in steps.load():
        if "commit" in step:
            steps.commit(step["as"], step["commit"])
            continue
        used.add(step["tool"])
        await sessions[step["as"]].call(step, kept)
    offered = set(sessions["kai"].tools)
    assert used == offered, f"not the same tools: {used ^ offered}"
    return kept


async def read_all(client, task):
    """Reads every resource there is, and one of each template."""
    listed = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    uris = [str(resource.uri) for resource in listed]
    assert "reflectt://board" in uris and "reflectt://me" in uris, uris
    names = [template.uri_template for template in templates]
    assert names == ["reflectt://task/{id}"], names
    for uri in [*uris, f"reflectt://task/{task}"]:
        contents = (await client.read_resource(uri)).contents
        assert contents and contents[0].text.strip(), uri
    try:
        await client.read_resource("reflectt://task/zzzzzz")
    except MCPError:
        return
    raise AssertionError("a task that is none was read")


async def prompts(client, task):
    """Gets every prompt, for a task where it asks for one."""
    listed = (await client.list_prompts()).prompts
    assert {prompt.name for prompt in listed} == {"work", "review"}, listed
    for prompt in listed:
        needed = {each.name: task for each in prompt.arguments or [] if each.required}
        messages = (await client.get_prompt(prompt.name, needed)).messages
        assert messages and messages[0].content.text.strip(), prompt


async def hears_of_changes(session):
    """Subscribes, has another process change something, and waits to be told."""
    client, directory = session.client, os.environ["LINK"]
    new = ["task", "new", "Something new", "--criterion", "it is seen"]
    uri = "reflectt://board"
    if client.protocol_version == NEWEST:
        async with client.listen(resource_subscriptions=[uri]) as subscription:
            assert subscription.honored.resource_subscriptions == [uri], subscription.honored
            await asyncio.to_thread(steps.elsewhere, directory, *new)
            event = await asyncio.wait_for(anext(aiter(subscription)), SECONDS)
            assert str(event.uri) == uri, event
    else:
        await client.subscribe_resource(uri)
        await asyncio.to_thread(steps.elsewhere, directory, *new)
        assert await asyncio.wait_for(session.updated.get(), SECONDS) == uri
        await client.unsubscribe_resource(uri)
    text = (await client.read_resource(uri)).contents[0].text
    assert "Something new" in text, text


async def main(mode):
    kai, link = Session("kai", mode), Session("link", mode)
    async with kai.client, link.client:
        spoken = kai.client.protocol_version
        assert (spoken == NEWEST) == (mode != "legacy"), spoken
        if mode != NEWEST:
            # Who has not asked for anything first has not been told either.
            assert kai.client.server_info.name == "reflectt", kai.client.server_info
            assert "status" in kai.client.instructions
        for session in (kai, link):
            await session.read_tools()
        kept = await go_through({"kai": kai, "link": link})
        await read_all(kai.client, kept["later"])
        await prompts(kai.client, kept["later"])
        await hears_of_changes(kai)
        print(f"ok: {spoken}, {len(kai.tools)} tools")


def innermost(error):
    """Returns what went wrong first, out of the groups that tasks wrap it into."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        asyncio.run(main(sys.argv[1]))
    except BaseExceptionGroup as group:
        raise innermost(group) from None
