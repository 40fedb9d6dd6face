// The official TypeScript SDK uses every feature. Prints "ok", or fails.
//
//   sdk.mjs FOLDER-OF-NODE-MODULES http|sse URL TOKEN

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [modules, kind, url, token] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const sdk = "@modelcontextprotocol/sdk";
const { Client } = require(`${sdk}/client/index.js`);
const { SSEClientTransport } = require(`${sdk}/client/sse.js`);
const { StreamableHTTPClientTransport } = require(`${sdk}/client/streamableHttp.js`);
const types = require(`${sdk}/types.js`);

const Transport = { http: StreamableHTTPClientTransport, sse: SSEClientTransport }[kind];
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
const transport = new Transport(new URL(url), { requestInit });
const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } };
const client = new Client({ name: "typescript-sdk", version: "1" }, { capabilities });

client.setRequestHandler(types.CreateMessageRequestSchema, ({ params }) => ({
  role: "assistant",
  model: "m",
  content: { type: "text", text: `sampled ${params.messages[0].content.text}` },
}));
client.setRequestHandler(types.ElicitRequestSchema, () => ({
  action: "accept",
  content: { name: "Ada", check: true },
}));
client.setRequestHandler(types.ListRootsRequestSchema, () => ({
  roots: [{ uri: "file:///home/ada", name: "home" }],
}));
const waiting = [];
client.setNotificationHandler(types.ToolListChangedNotificationSchema, () => waiting.shift()?.());

const text = async (name, args = {}) => {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, JSON.stringify(result));
  return result.content[0].text;
};

await client.connect(transport);
// Often enough that every instance has its turn at everything.
for (let round = 0; round < 9; round += 1) {
  assert.ok((await client.listTools()).tools.length > 8);
  assert.equal(await text("echo", { message: "hi" }), "Echo: hi");
  assert.equal(await text("add", { a: round, b: 1 }), `The sum of ${round} and 1 is ${round + 1}.`);
  assert.match(await text("sampleLLM", { prompt: "x" }), /sampled Resource sampleLLM context: x/);
  assert.match(await text("elicitInputs"), /Ada/);
  assert.match(await text("getRootsList"), /file:\/\/\/home\/ada/);

  const progress = [];
  const operation = { name: "longRunningOperation", arguments: { duration: 0.2, steps: 4 } };
  await client.callTool(operation, undefined, { onprogress: (told) => progress.push(told.progress) });
  // The last may come together with the answer, which the SDK looks at first.
  assert.deepEqual(progress.slice(0, 3), [1, 2, 3]);

  const stop = new AbortController();
  const long = { name: "longRunningOperation", arguments: { duration: 600, steps: 1000 } };
  const onprogress = () => stop.abort("enough");
  await assert.rejects(client.callTool(long, undefined, { signal: stop.signal, onprogress }));

  const { resources } = await client.listResources();
  const { contents } = await client.readResource({ uri: resources[0].uri });
  assert.equal(contents[0].uri, resources[0].uri);
  await client.subscribeResource({ uri: resources[0].uri });
  await client.unsubscribeResource({ uri: resources[0].uri });
  const prompt = await client.getPrompt({ name: "simple_prompt" });
  assert.equal(prompt.messages.length, 1);
  const completed = await client.complete({
    ref: { type: "ref/resource", uri: "test://static/resource/{id}" },
    argument: { name: "id", value: "" },
  });
  assert.ok(completed.completion.values.length > 3);
  await client.setLoggingLevel("emergency");
  await client.ping();

  const changed = new Promise((told) => waiting.push(told));
  await text("test_trigger_tool_change");
  await changed;
}
if (kind === "http") {
  await transport.terminateSession();
}
await client.close();
console.log("ok");
