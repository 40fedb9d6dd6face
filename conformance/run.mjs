// Runs the official MCP conformance suite against the server and judges its report; with the
// argument `cluster`, against three instances behind HAProxy.
// See README.md. `make conformance` calls it with the Node of tools/.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "./cluster.mjs";
import { judge } from "./judge.mjs";
import { print } from "./print.mjs";
import { leaks } from "./secrets.mjs";
import { startServer } from "./server.mjs";
import { requirements, runSuite } from "./suite.mjs";

// Whether a revision may have scenarios in the baseline.
const REVISIONS = { "2025-11-25": false, "2026-07-28": true };

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(1));
}

const baseline = JSON.parse(readFileSync(new URL("baseline.json", import.meta.url), "utf8"));
for (const [revision, entries] of Object.entries(baseline)) {
  if (entries.length > 0 && !REVISIONS[revision]) {
    throw new Error(`baseline.json: there is no place for entries of ${revision}`);
  }
}

const required = Object.keys(REVISIONS).map((revision) => [revision, requirements(revision)]);
const reports = mkdtempSync(join(tmpdir(), "conformance-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));
const isCluster = process.argv[2] === "cluster";
const { endpoint, answered } = await (isCluster ? startCluster() : startServer());
let problems = 0;
for (const [revision, scenarios] of required) {
  const results = await runSuite(endpoint, revision, join(reports, revision));
  const verdict = judge(scenarios, results, baseline[revision] ?? []);
  print(revision, verdict);
  problems += verdict.problems.length;
}
if (isCluster) {
  const shares = answered();
  console.log(`\nrequests answered by each instance: ${shares.join(", ")}`);
  problems += shares.filter((share) => share === 0).length;
}
for (const leak of leaks()) {
  console.log(`  PROBLEM ${leak}`);
  problems += 1;
}
console.log(problems === 0 ? "conformance: ok" : `conformance: ${problems} problem(s)`);
process.exit(problems === 0 ? 0 : 1);
