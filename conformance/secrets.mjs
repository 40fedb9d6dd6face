// No secret reaches the log: every line of a server is looked at for what looks like one, and for
// those that passed through here.

const SHAPES = [
  /mc[acrs]_[\w.~+/=-]{16}/,
  // JSON in base64url: the head of a JWS.
  /eyJ[\w.~+/=-]{24}/,
  /Bearer [\w.~+/=-]{16}/,
  /Basic [\w.~+/=-]{16}/,
];
const SHORTEST = 8;

const seen = new Set();
const found = [];

/** Remembers a secret. */
export function seenSecret(secret) {
  if (secret?.length >= SHORTEST) {
    seen.add(secret);
  }
}

/** Looks at a line of a log. */
export function lookAt(line) {
  if (hasSecret(line)) {
    found.push(line);
  }
}

export function hasSecret(line) {
  const forms = [...seen].flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return SHAPES.some((shape) => shape.test(line)) || forms.some((form) => line.includes(form));
}

/** One problem for each line that had a secret in it, by its event. */
export function leaks() {
  return found.map((line) => `a secret in the log, in the event ${/"event":"([^"]*)"/.exec(line)?.[1]}`);
}
