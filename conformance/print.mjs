/** Prints the scenarios, the totals, and what is wrong. */
export function print(revision, { rows, problems }) {
  const total = (column) => rows.reduce((sum, row) => sum + row[column], 0);
  const scored = rows.filter((row) => row.isScored).length;
  console.log(`\nconformance ${revision}: ${scored} scored and ${rows.length - scored} unscored scenarios`);
  for (const row of rows) {
    const name = row.isScored ? row.name : `${row.name} (unscored)`;
    console.log(`  ${mark(row)} ${name.padEnd(50)} ${counts(row)}`.trimEnd());
  }
  console.log(
    `  ${total("passed")} passed, ${total("failed")} failed, ${total("warned")} warnings, ` +
      `${total("missing")} missing, ${total("excused")} in the baseline`,
  );
  for (const problem of problems) {
    console.log(`  PROBLEM ${problem}`);
  }
}

function mark(row) {
  if (row.problems.length > 0) {
    return "FAIL";
  }
  if (row.excused > 0) {
    return "base";
  }
  return row.passed > 0 ? "ok  " : "skip";
}

function counts(row) {
  const shown = ["passed", "failed", "warned", "excused", "missing"].filter((key) => row[key] > 0);
  return shown.map((key) => `${row[key]} ${key}`).join(", ");
}
