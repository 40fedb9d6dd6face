// An official TypeScript SDK uses everything that the server lists, and says on each line of its
// standard output what it did and what came of it, as JSON. Whether that is right is judged elsewhere.
//
//   walk.mjs FOLDER-OF-NODE-MODULES 1|2 PLAN

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, line, file] = process.argv.slice(2);
const { kind, era, url, token, command, cannot, table } = JSON.parse(readFileSync(file, "utf8"));
const require = createRequire(`${modules}/`);
const first = line === "1";

function load() {
  if (!first) {
    const client = "@modelcontextprotocol/client";
    return { ...require(client), ...require(`${client}/stdio`) };
  }
  const parts = ["client/index", "client/sse", "client/stdio", "client/streamableHttp", "types"];
  return Object.assign({}, ...parts.map((part) => require(`@modelcontextprotocol/sdk/${part}.js`)));
}

const sdk = load();
const can = (feature) => !cannot.includes(feature);
const say = (did, more = {}) => console.log(JSON.stringify({ did, ...more }));
const modern = era === "modern";

// The connection of one call breaks after its first progress.
let breaks = false;
async function breakable(target, init) {
  const response = await fetch(target, init);
  if (!breaks || init?.method !== "POST" || !response.headers.get("content-type")?.includes("event-stream")) {
    return response;
  }
  breaks = false;
  const reader = response.body.getReader();
  let seen = "";
  const body = new ReadableStream({
    async pull(controller) {
      if (seen.includes("notifications/progress")) {
        await reader.cancel();
        say("broke");
        return controller.error(new TypeError("the connection broke"));
      }
      const { done, value } = await reader.read();
      if (done) {
        return controller.close();
      }
      seen += new TextDecoder().decode(value);
      controller.enqueue(value);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

function transportOf() {
  if (kind === "stdio") {
    const [program, ...args] = command;
    return new sdk.StdioClientTransport({ command: program, args, stderr: "inherit" });
  }
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const Transport = { http: sdk.StreamableHTTPClientTransport, sse: sdk.SSEClientTransport }[kind];
  return new Transport(new URL(url), { requestInit, fetch: kind === "http" ? breakable : undefined });
}

const capabilities = {
  sampling: { tools: {} },
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};
const mode = { legacy: "legacy", modern: { pin: "2026-07-28" } }[era];
const client = new sdk.Client(
  { name: `typescript-sdk-${line}`, version: "1" },
  { capabilities, versionNegotiation: { mode } },
);

const questions = {
  "sampling/createMessage": ["CreateMessage", answerSampling],
  "elicitation/create": ["Elicit", answerElicitation],
  "roots/list": ["ListRoots", () => ({ roots: [table.answers.root] })],
};
for (const [method, [name, answer]] of Object.entries(questions)) {
  client.setRequestHandler(first ? sdk[`${name}RequestSchema`] : method, (request) => {
    say("asked", { method, params: request.params });
    return answer(request.params ?? {});
  });
}

// Where there are tools, the model uses one and then answers.
function answerSampling({ tools, messages }) {
  const done = [messages.at(-1).content].flat().some(({ type }) => type === "tool_result");
  const content =
    tools && !done
      ? { type: "tool_use", id: "use-1", ...table.answers.use }
      : { type: "text", text: table.answers.sampling };
  const stopReason = content.type === "tool_use" ? "toolUse" : "endTurn";
  return { role: "assistant", model: "m", content, stopReason };
}

// What the table knows of the form.
// A page is for a user with a browser, and here is none.
function answerElicitation({ mode, requestedSchema }) {
  if (mode === "url") {
    return { action: "decline" };
  }
  const asked = Object.keys(requestedSchema?.properties ?? {});
  const known = asked.filter((name) => name in table.answers.form);
  return { action: "accept", content: Object.fromEntries(known.map((name) => [name, table.answers.form[name]])) };
}

const heard = [];
const waiting = [];
client.fallbackNotificationHandler = async ({ method, params }) => {
  say("heard", { method, params });
  heard.push(method);
  waiting.splice(0).forEach((told) => told());
};
async function hears(method) {
  const late = setTimeout(() => {
    throw new Error(`${method} does not come`);
  }, 50_000);
  while (!heard.includes(method)) {
    await new Promise((told) => waiting.push(told));
  }
  clearTimeout(late);
}

async function all(what, list) {
  const items = [];
  let pages = 0;
  let cursor;
  do {
    const page = await list(cursor === undefined ? undefined : { cursor });
    items.push(...page[what]);
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== undefined);
  say("listed", { what, names: items.map((item) => item.uri ?? item.uriTemplate ?? item.name), pages });
  return items;
}

const callTool = (params, options) =>
  first ? client.callTool(params, undefined, options) : client.callTool(params, options);

async function attempt(did, more, ask) {
  try {
    say(did, { ...more, result: await ask() });
  } catch (error) {
    say(did, { ...more, error: { code: error.code, message: error.message, data: error.data } });
  }
}

async function call(name, args) {
  let progress = 0;
  const onprogress = () => (progress += 1);
  const params = { name, arguments: args };
  if (modern) {
    params._meta = { "io.modelcontextprotocol/logLevel": "debug" };
  }
  const ask = () => callTool(params, { onprogress });
  await attempt("called", { name }, async () => ({ ...(await ask()), progress }));
}

async function complete(ref, of) {
  for (const [name, { value, context }] of Object.entries(of?.complete ?? {})) {
    const argument = { name, value };
    const params = { ref, argument, ...(context && { context: { arguments: context } }) };
    await attempt("completed", { ref, argument }, () => client.complete(params));
  }
}

const transport = transportOf();
await client.connect(transport);
say("connected", {
  revision: first ? undefined : client.getNegotiatedProtocolVersion(),
  server: client.getServerVersion(),
  capabilities: client.getServerCapabilities(),
  instructions: client.getInstructions(),
});

let subscription;
if (can("updates")) {
  if (modern) {
    subscription = await client.listen({
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: [table.subscribe],
    });
  } else {
    await client.subscribeResource({ uri: table.subscribe });
  }
  say("subscribed");
}
if (!modern) {
  await client.setLoggingLevel("debug");
  await client.ping();
}

const called = new Set();
for (;;) {
  const tools = await all("tools", (page) => client.listTools(page, { cacheMode: "refresh" }));
  const fresh = tools.filter(({ name }) => !called.has(name));
  if (fresh.length === 0) {
    break;
  }
  for (const { name } of fresh) {
    called.add(name);
    await call(name, table.tools[name]?.arguments ?? {});
  }
}

const prompts = await all("prompts", (page) => client.listPrompts(page, { cacheMode: "refresh" }));
for (const { name } of prompts) {
  const args = table.prompts[name]?.arguments;
  await attempt("got", { name }, () => client.getPrompt({ name, arguments: args }));
  await complete({ type: "ref/prompt", name }, table.prompts[name]);
}
const read = (uri) => attempt("read", { uri }, () => client.readResource({ uri }));
for (const { uri } of await all("resources", (page) => client.listResources(page, { cacheMode: "refresh" }))) {
  await read(uri);
}
for (const { uriTemplate } of await all("resourceTemplates", (page) => client.listResourceTemplates(page))) {
  const known = table.templates[uriTemplate];
  if (known) {
    await read(known.uri);
  }
  await complete({ type: "ref/resource", uri: uriTemplate }, known);
}

if (can("cancellation")) {
  const stop = new AbortController();
  const long = { name: "longRunningOperation", arguments: { duration: 600, steps: 1000 } };
  const onprogress = () => stop.abort("enough");
  await callTool(long, { signal: stop.signal, onprogress }).catch(() => say("cancelled"));
}
if (can("resumption")) {
  breaks = true;
  await call("longRunningOperation", { duration: 3, steps: 6 });
}
if (can("tasks")) {
  const params = { name: "simulateResearchQuery", arguments: { topic: "rust" } };
  for await (const message of client.experimental.tasks.callToolStream(params, undefined, { task: { ttl: 60_000 } })) {
    say("task", { message });
  }
}
if (can("roots") && !modern) {
  await client.sendRootsListChanged();
}
if (can("log messages")) {
  await hears("notifications/message");
}
if (can("updates")) {
  await hears("notifications/resources/updated");
}
if (can("list changes")) {
  for (const method of table.changes) {
    await hears(method);
  }
}
if (can("updates") && !modern) {
  await client.unsubscribeResource({ uri: table.subscribe });
}
await subscription?.close();
if (kind === "http" && !modern) {
  await transport.terminateSession();
}
await client.close();
say("left");
