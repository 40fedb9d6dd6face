// panva's oidc-provider, an authorization server and OpenID provider of somebody else's. Keeps
// everything in memory, has new keys at each start, believes whatever user id it is given, and asks
// nobody for consent. Prints "ready".
//
//   oidc_provider.mjs FOLDER-OF-NODE-MODULES CONFIG
//
// CONFIG is JSON: the port, the clients in the names of RFC 7591, and the resources, each with
// "opaque" or "jwt" for what its access tokens are.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [modules, config] = process.argv.slice(2);
const main = pathToFileURL(`${modules}/oidc-provider/lib/index.js`);
const { default: Provider, errors, interactionPolicy } = await import(main);
const { port, clients, resources } = JSON.parse(config);

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig" };

function getResourceServerInfo(_, resource) {
  const accessTokenFormat = resources[resource];
  if (!accessTokenFormat) throw new errors.InvalidTarget();
  return { scope: "mcp:read mcp:tools", audience: resource, accessTokenFormat };
}

async function loadExistingGrant({ oidc }) {
  const ids = { clientId: oidc.client.clientId, accountId: oidc.session.accountId };
  const grant = new oidc.provider.Grant(ids);
  grant.addOIDCScope("openid offline_access mcp:read mcp:tools");
  for (const [resource, { scope }] of Object.entries(oidc.resourceServers ?? {})) {
    grant.addResourceScope(resource, scope);
  }
  await grant.save();
  return grant;
}

// It would ask the users of native clients each time.
const policy = interactionPolicy.base();
policy.get("consent").checks.remove("native_client_prompt");

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  scopes: ["openid", "offline_access", "mcp:read", "mcp:tools"],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { policy, url: (_, { uid }) => `/interaction/${uid}` },
  loadExistingGrant,
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  pkce: { required: () => true },
  ttl: { Session: 600, Grant: 600, Interaction: 600, AccessToken: 600, RefreshToken: 600 },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo,
      useGrantedResource: () => true,
    },
  },
});

// Signing in: one form, which can be refused.
async function interact(request, response) {
  if (request.method === "GET") {
    const form = `<form method="post" action="${request.url}"><input name="userId" value=""></form>`;
    response.setHeader("content-type", "text/html");
    return response.end(form);
  }
  const form = new URLSearchParams(await text(request));
  const result = form.has("deny")
    ? { error: "access_denied", error_description: "the user said no" }
    : { login: { accountId: form.get("userId") } };
  return provider.interactionFinished(request, response, result);
}

const routes = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return routes(request, response);
  return interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(`${error}`);
  });
});
server.listen(port, "127.0.0.1", () => console.log("ready"));
