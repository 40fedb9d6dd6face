// Runs the `authorization` command of the official MCP conformance suite against the authorization
// server, however it is deployed, and judges its report. See README.md. `make
// conformance-authorization` calls it with the Node of tools/.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startCluster } from "./cluster.mjs";
import { judge } from "./judge.mjs";
import { print } from "./print.mjs";
import { leaks } from "./secrets.mjs";
import { startAuthServer, startServer } from "./server.mjs";
import { signIn } from "./sign_in.mjs";
import { AUTHORIZATION_SCENARIOS, runAuthorizationSuite } from "./suite.mjs";

const DEPLOYMENTS = {
  "one instance": async () => (await startServer({ AUTH_MODE: "integrated" })).issuer,
  standalone: startAuthServer,
  "three instances": async () => (await startCluster()).issuer,
};

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(1));
}

const reports = mkdtempSync(join(tmpdir(), "conformance-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));
let problems = 0;
for (const [name, start] of Object.entries(DEPLOYMENTS)) {
  const issuer = await start();
  for (const resource of [undefined, `${issuer}/mcp`]) {
    const port = await freePort();
    const client = { issuer, clientId: await register(issuer, port), port, resource };
    const folder = mkdtempSync(join(reports, "report-"));
    const results = await runAuthorizationSuite(client, folder, (url) => signIn(url, "conformance"));
    const verdict = judge({ scored: AUTHORIZATION_SCENARIOS, unscored: [] }, results, []);
    print(`authorization, ${name}, ${resource === undefined ? "no resource" : "for /mcp"}`, verdict);
    problems += verdict.problems.length;
  }
}
for (const leak of leaks()) {
  console.log(`  PROBLEM ${leak}`);
  problems += 1;
}
console.log(problems === 0 ? "conformance: ok" : `conformance: ${problems} problem(s)`);
process.exit(problems === 0 ? 0 : 1);

/** Registers a public client that is called back on this port. */
async function register(issuer, port) {
  const metadata = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
  const { registration_endpoint: endpoint } = await metadata.json();
  const document = {
    client_name: "conformance",
    redirect_uris: [`http://127.0.0.1:${port}/callback`],
    token_endpoint_auth_method: "none",
  };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(document) });
  if (answer.status !== 201) {
    throw new Error(`${endpoint} answered ${answer.status}: ${await answer.text()}`);
  }
  return (await answer.json()).client_id;
}
