import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TIMEOUT_MS = 300_000;
const SUITE = fileURLToPath(
  new URL("../tools/node_modules/@modelcontextprotocol/conformance/", import.meta.url),
);

/** The server scenarios of a revision: all that must run, and those whose failure the suite scores. */
export function requirements(revision) {
  if (!existsSync(SUITE)) {
    throw new Error("the conformance suite is not installed: run `make tools` first");
  }
  const { parse } = createRequire(SUITE)("yaml");
  const file = parse(readFileSync(join(SUITE, "requirements", `${revision}.yaml`), "utf8"));
  const unscored = file.not_scored
    .filter((entry) => entry.leg === "server")
    .map((entry) => entry.scenario);
  return { scored: file.server, unscored };
}

/** Runs the suite; the checks of each scenario that reported. */
export async function runSuite(endpoint, revision, folder) {
  const main = join(SUITE, "dist", "index.js");
  const args = [main, "server", "--url", endpoint, "--requirements", revision, "-o", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const end = () => child.kill("SIGKILL");
  const timer = setTimeout(end, TIMEOUT_MS);
  process.once("exit", end);
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  await new Promise((done) => child.once("close", done));
  clearTimeout(timer);
  process.off("exit", end);
  const results = read(folder);
  if (results.size === 0) {
    throw new Error(`the suite left no report for ${revision}; it said:\n${output}`);
  }
  return results;
}

/** One folder for each scenario: `server-NAME-TIME/checks.json`. */
function read(folder) {
  const results = new Map();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1];
    if (scenario === undefined) {
      throw new Error(`${name} is no report of a scenario: has the suite changed its layout?`);
    }
    results.set(scenario, JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8")));
  }
  return results;
}
