const COUNTED = { SUCCESS: "passed", FAILURE: "failed", WARNING: "warned" };
const PASSED_OVER = ["INFO", "SKIPPED"];

/**
 * Judges what the scenarios reported. Nothing may be missing, and whatever fails or warns must
 * stand in the baseline, which has a place for unscored scenarios only.
 */
export function judge({ scored, unscored }, results, baseline) {
  const known = new Set([...scored, ...unscored]);
  const rows = [...known, ...[...results.keys()].filter((name) => !known.has(name))].map((name) =>
    judgeScenario(name, results.get(name), scored.includes(name), baseline),
  );
  const problems = [
    ...rows.flatMap((row) => row.problems),
    ...baseline.flatMap((entry) => judgeEntry(entry, unscored, results)),
  ];
  return { rows, problems };
}

function judgeScenario(name, checks, isScored, baseline) {
  const row = { name, isScored, passed: 0, failed: 0, warned: 0, excused: 0, missing: 0, problems: [] };
  if (checks === undefined || checks.length === 0) {
    return { ...row, missing: 1, problems: [`${name}: it reported nothing`] };
  }
  for (const check of checks) {
    const counter = COUNTED[check.status];
    if (counter === undefined) {
      if (!PASSED_OVER.includes(check.status)) {
        row.problems.push(`${name}: ${check.id}: there is no status ${check.status}`);
      }
    } else if (counter !== "passed" && baseline.some((entry) => covers(entry, name, check))) {
      row.excused += 1;
    } else {
      row[counter] += 1;
      if (counter !== "passed") {
        row.problems.push(`${name}: ${check.id}: ${check.status}: ${said(check)}`);
      }
    }
  }
  if (isScored && !checks.some((check) => check.status in COUNTED)) {
    row.problems.push(`${name}: it checked nothing`);
  }
  return row;
}

function judgeEntry(entry, unscored, results) {
  const name = entry.check ? `${entry.scenario}: ${entry.check}` : entry.scenario;
  const problem = (what) => [`baseline.json: ${name}: ${what}`];
  if (!entry.reason) {
    return problem("it gives no reason");
  }
  if (!unscored.includes(entry.scenario)) {
    return problem("it is no unscored scenario of this revision");
  }
  const fails = ({ status }) => status === "FAILURE" || status === "WARNING";
  const checks = results.get(entry.scenario) ?? [];
  if (!checks.some((check) => fails(check) && covers(entry, entry.scenario, check))) {
    return problem("nothing of it fails any more: take it out");
  }
  return [];
}

function covers(entry, scenario, check) {
  return entry.scenario === scenario && (entry.check === undefined || entry.check === check.id);
}

function said(check) {
  return (check.errorMessage ?? check.description ?? "").split("\n")[0];
}
