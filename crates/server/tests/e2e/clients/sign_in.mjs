// An official TypeScript SDK signs in by itself and uses what it gets. Prints whose token it has and
// "ok", or fails.
//
//   sign_in.mjs FOLDER-OF-NODE-MODULES 1|2 http|sse legacy|modern URL STORE
//
// BROWSER opens URLs for the user. STORE is a file that the next start reads.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [modules, line, kind, era, url, store] = process.argv.slice(2);
const sdk = load(createRequire(`${modules}/`));

function load(require) {
  if (line === "2") {
    return require("@modelcontextprotocol/client");
  }
  const parts = ["auth", "index", "sse", "streamableHttp"];
  return Object.assign({}, ...parts.map((part) => require(`@modelcontextprotocol/sdk/client/${part}.js`)));
}

// Where the browser comes back to: on another port at each start.
const answers = [];
const waiting = [];
const callback = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  if (pathname === "/callback") {
    const told = waiting.shift();
    told ? told(searchParams) : answers.push(searchParams);
  }
  response.end("Back at the client");
});
await new Promise((listening) => callback.listen(0, "127.0.0.1", listening));
const answer = () => answers.shift() ?? new Promise((told) => waiting.push(told));

let kept = existsSync(store) ? JSON.parse(readFileSync(store, "utf8")) : {};
const keep = (more) => {
  kept = { ...kept, ...more };
  writeFileSync(store, JSON.stringify(kept));
};

const redirectUrl = `http://127.0.0.1:${callback.address().port}/callback`;
let verifier;
let state;
const authProvider = {
  redirectUrl,
  // What authenticates it is left to the server.
  clientMetadata: {
    client_name: `TypeScript SDK ${line}`,
    redirect_uris: [redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  },
  state: () => (state = crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => keep({ client }),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => keep({ tokens }),
  saveCodeVerifier: (code) => (verifier = code),
  codeVerifier: () => verifier,
  redirectToAuthorization: (page) => void spawn(process.env.BROWSER, [page.href]),
  invalidateCredentials: (what) => {
    const all = what === "all";
    keep({ client: all || what === "client" ? undefined : kept.client });
    keep({ tokens: all || what === "tokens" ? undefined : kept.tokens });
  },
};

function transportOf() {
  const Transport = { http: sdk.StreamableHTTPClientTransport, sse: sdk.SSEClientTransport }[kind];
  return new Transport(new URL(url), { authProvider });
}

// Does what needs a token, and once more when the user was asked for it.
async function authorized(transport, ask) {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof sdk.UnauthorizedError)) {
      throw error;
    }
    const params = await answer();
    assert.equal(params.get("state"), state);
    await transport.finishAuth(line === "2" ? params : params.get("code"));
    return undefined;
  }
}

async function connected() {
  for (;;) {
    const mode = { legacy: "legacy", modern: { pin: "2026-07-28" } }[era];
    const client = new sdk.Client({ name: "typescript-sdk", version: line }, { versionNegotiation: { mode } });
    const transport = transportOf();
    const done = await authorized(transport, () => client.connect(transport).then(() => true));
    if (done) {
      return { client, transport };
    }
  }
}

const { client, transport } = await connected();
const call = async (name, args = {}) => {
  const ask = () => client.callTool({ name, arguments: args });
  const result = (await authorized(transport, ask)) ?? (await ask());
  assert.ok(!result.isError, JSON.stringify(result));
  return result;
};

assert.ok((await client.listTools()).tools.length > 8);
assert.equal((await call("echo", { message: "hi" })).content[0].text, "Echo: hi");
const { caller, protocolVersion } = (await call("whoami")).structuredContent;
console.log(`user ${caller.user}`);
console.log(`revision ${protocolVersion}`);
console.log(`scopes ${caller.scopes.join(" ")}`);

// Without its access token, a client gets another one and goes on as the same user. A server that
// asks another one about tokens may believe in it for some seconds more.
const { tokens } = kept;
await revoke(tokens.access_token);
const until = Date.now() + 30_000;
do {
  const again = (await call("whoami")).structuredContent.caller;
  assert.equal(again.user, caller.user);
  assert.ok(Date.now() < until, "the token is revoked");
} while (kept.tokens.access_token === tokens.access_token);

if (kind === "http" && era === "legacy") {
  await transport.terminateSession();
}
await client.close();
callback.close();
callback.closeAllConnections();
console.log("ok");

async function revoke(token) {
  const { resourceMetadataUrl } = sdk.extractWWWAuthenticateParams(await fetch(url));
  const { authorization_servers } = await (await fetch(resourceMetadataUrl)).json();
  const metadata = await sdk.discoverAuthorizationServerMetadata(authorization_servers[0]);
  const { client_id, client_secret, token_endpoint_auth_method: method } = kept.client;
  const body = new URLSearchParams({ token, client_id });
  const headers = {};
  if (method === "client_secret_basic") {
    body.delete("client_id");
    headers.Authorization = `Basic ${btoa(`${client_id}:${client_secret}`)}`;
  }
  const answered = await fetch(metadata.revocation_endpoint, { method: "POST", headers, body });
  assert.equal(answered.status, 200, await answered.text());
}
