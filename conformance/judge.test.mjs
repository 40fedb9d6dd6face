import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./judge.mjs";

const REQUIRED = { scored: ["ping"], unscored: ["tasks"] };
const OK = [{ id: "a", status: "SUCCESS" }];
const WARNS = [{ id: "a", status: "WARNING", errorMessage: "why" }];
const FAILS = [{ id: "a", status: "FAILURE", errorMessage: "why" }];

function problems(ping, tasks, baseline = []) {
  const results = new Map(Object.entries({ ping, tasks }).filter(([, checks]) => checks));
  return judge(REQUIRED, results, baseline).problems;
}

test("all that passes is no problem", () => {
  assert.deepEqual(problems(OK, OK), []);
  assert.deepEqual(problems([...OK, { id: "b", status: "INFO" }], [{ id: "a", status: "SKIPPED" }]), []);
});

test("failures and warnings count, scored or not", () => {
  for (const bad of [FAILS, WARNS]) {
    assert.match(problems(bad, OK)[0], /^ping: a: .*: why$/);
    assert.match(problems(OK, bad)[0], /^tasks: a: /);
  }
});

test("what says nothing counts", () => {
  assert.match(problems(undefined, OK)[0], /^ping: it reported nothing/);
  assert.match(problems(OK, undefined)[0], /^tasks: it reported nothing/);
  assert.match(problems(OK, [])[0], /^tasks: it reported nothing/);
  assert.match(problems([{ id: "a", status: "SKIPPED" }], OK)[0], /^ping: it checked nothing/);
  assert.match(problems([...OK, { id: "b", status: "NEW" }], OK)[0], /no status NEW/);
});

test("scenarios that are not required count all the same", () => {
  const results = new Map([["ping", OK], ["tasks", OK], ["new", FAILS]]);
  assert.match(judge(REQUIRED, results, []).problems[0], /^new: a/);
});

test("the baseline excuses what it names, and nothing else", () => {
  const reason = "not yet";
  const both = [...FAILS, { id: "b", status: "FAILURE" }];
  assert.deepEqual(problems(OK, both, [{ scenario: "tasks", reason }]), []);
  assert.match(problems(OK, both, [{ scenario: "tasks", check: "a", reason }])[0], /^tasks: b/);
});

test("the baseline has no stale, unexplained or scored entry", () => {
  const reason = "not yet";
  assert.match(problems(OK, OK, [{ scenario: "tasks", reason }])[0], /take it out/);
  assert.match(problems(OK, FAILS, [{ scenario: "tasks" }])[0], /no reason/);
  assert.match(problems(FAILS, OK, [{ scenario: "ping", reason }]).at(-1), /no unscored scenario/);
  assert.match(problems(OK, OK, [{ scenario: "gone", reason }])[0], /no unscored scenario/);
});
