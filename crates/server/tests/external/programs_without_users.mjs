// Programs of the official TypeScript SDKs that act for themselves. Prints "ok", or fails.
//
//   programs_without_users.mjs FOLDER-OF-NODE-MODULES ISSUER

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, issuer] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const url = new URL(`${issuer}/mcp`);

const one = {
  ...require("@modelcontextprotocol/sdk/client/index.js"),
  ...require("@modelcontextprotocol/sdk/client/streamableHttp.js"),
  ...require("@modelcontextprotocol/sdk/client/auth-extensions.js"),
};
const two = await import(pathToFileURL(require.resolve("@modelcontextprotocol/client")));

const register = async (metadata) => {
  const body = JSON.stringify({ grant_types: ["client_credentials"], ...metadata });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${issuer}/register`, { method: "POST", headers, body });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
};

const key = { name: "ECDSA", namedCurve: "P-256" };
const pair = await crypto.subtle.generateKey(key, true, ["sign", "verify"]);
const [privateKey, publicKey] = await Promise.all(
  [pair.privateKey, pair.publicKey].map((half) => crypto.subtle.exportKey("jwk", half)),
);

// Who a program is, is what its tools are told.
const use = async ({ Client, StreamableHTTPClientTransport }, authProvider, id) => {
  const client = new Client({ name: "a program", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider }));
  const who = await client.callTool({ name: "whoami", arguments: {} });
  assert.match(JSON.stringify(who), new RegExp(`client ${id}`));
  await client.close();
};

for (const sdk of [one, two]) {
  const secret = await register({ token_endpoint_auth_method: "client_secret_basic" });
  await use(
    sdk,
    new sdk.ClientCredentialsProvider({
      clientId: secret.client_id,
      clientSecret: secret.client_secret,
      expectedIssuer: issuer,
    }),
    secret.client_id,
  );

  const keys = { keys: [publicKey] };
  const signing = await register({ token_endpoint_auth_method: "private_key_jwt", jwks: keys });
  const withKey = () =>
    new sdk.PrivateKeyJwtProvider({
      clientId: signing.client_id,
      privateKey,
      algorithm: "ES256",
      expectedIssuer: issuer,
    });
  await use(sdk, withKey(), signing.client_id);

  // The second one binds its tokens to a key if its provider has one.
  if (sdk.DpopSession) {
    const provider = withKey();
    const session = await sdk.DpopSession.create();
    provider.dpop = () => session;
    await use(sdk, provider, signing.client_id);
    assert.equal((await provider.tokens()).token_type, "DPoP");
  }
}
assert.ok(two.DpopSession, "the second SDK knows proofs of possession");
console.log("ok");
