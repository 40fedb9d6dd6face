import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const TIMEOUT_MS = 300_000;
const REPORTS = { server: "server", authorization: "authorization-server" };
const SUITE = fileURLToPath(
  new URL("../tools/node_modules/@modelcontextprotocol/conformance/", import.meta.url),
);

/** The server scenarios of a revision: all that must run, and those whose failure the suite scores. */
export function requirements(revision) {
  isInstalled();
  const { parse } = createRequire(SUITE)("yaml");
  const file = parse(readFileSync(join(SUITE, "requirements", `${revision}.yaml`), "utf8"));
  const unscored = file.not_scored
    .filter((entry) => entry.leg === "server")
    .map((entry) => entry.scenario);
  return { scored: file.server, unscored };
}

function isInstalled() {
  if (!existsSync(SUITE)) {
    throw new Error("the conformance suite is not installed: run `make tools` first");
  }
}

/** Runs the suite against a server; the checks of each scenario that reported. */
export function runSuite(endpoint, revision, folder) {
  return run("server", ["--url", endpoint, "--requirements", revision], folder);
}

/** The scenarios of the `authorization` command, which no file of requirements lists. */
export const AUTHORIZATION_SCENARIOS = ["authorization-server-metadata-endpoint", "authorization-code-grant"];

/**
 * Runs the suite against an authorization server that knows this client and its redirect URI,
 * `http://127.0.0.1:PORT/callback`. `signIn` is given the URL at which a user must sign in.
 */
export function runAuthorizationSuite({ issuer, clientId, port, resource }, folder, signIn) {
  const args = ["--url", issuer, "--client-id", clientId, "--port", port];
  const options = resource === undefined ? [] : ["--resource", resource];
  return run("authorization", [...args, ...options], folder, (line) =>
    /^https?:\S+[?&]code_challenge=/.test(line) ? signIn(line) : undefined,
  );
}

async function run(command, options, folder, heard = () => undefined) {
  isInstalled();
  const args = [join(SUITE, "dist", "index.js"), command, ...options, "-o", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const end = () => child.kill("SIGKILL");
  const timer = setTimeout(end, TIMEOUT_MS);
  process.once("exit", end);
  let output = "";
  let failure;
  child.stderr.on("data", (data) => (output += data));
  createInterface({ input: child.stdout }).on("line", async (line) => {
    output += `${line}\n`;
    try {
      await heard(line);
    } catch (error) {
      failure = error;
      end();
    }
  });
  await new Promise((done) => child.once("close", done));
  clearTimeout(timer);
  process.off("exit", end);
  const results = read(folder, REPORTS[command]);
  if (failure !== undefined) {
    throw failure;
  }
  if (results.size === 0) {
    throw new Error(`the suite left no report of ${command}; it said:\n${output}`);
  }
  return results;
}

/** One folder for each scenario, `PREFIX-NAME-TIME`, with its `checks.json`. */
function read(folder, prefix) {
  const results = new Map();
  const report = new RegExp(`^${prefix}-(.+)-\\d{4}-\\d\\d-\\d\\dT[\\d-]+Z$`);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const scenario = report.exec(name)?.[1];
    if (scenario === undefined) {
      throw new Error(`${name} is no report of a scenario: has the suite changed its layout?`);
    }
    results.set(scenario, JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8")));
  }
  return results;
}
