import assert from "node:assert/strict";
import { test } from "node:test";
import { hasSecret, leaks, lookAt, seenSecret } from "./secrets.mjs";

test("what looks like a secret is found", () => {
  for (const text of ["mca_0123456789abcdef", `eyJ${"x".repeat(30)}`, "Basic YTpiOmM6ZDplOmY6", "Bearer abcdefghijklmnop"]) {
    assert.ok(hasSecret(`{"event":"some.event","field":"${text}"}`), text);
  }
  for (const text of ["mca_", "not one Bearer token", "eyJ"]) {
    assert.ok(!hasSecret(`{"event":"some.event","field":"${text}"}`), text);
  }
});

test("what passed through is found, and is named by its event only", () => {
  const line = '{"event":"some.event","field":"a=the%20secret%3F"}';
  lookAt(line);
  assert.deepEqual(leaks(), []);
  seenSecret("the secret?");
  lookAt(line);
  assert.deepEqual(leaks(), ["a secret in the log, in the event some.event"]);
});
