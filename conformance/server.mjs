import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { lookAt } from "./secrets.mjs";

const START_TIMEOUT_MS = 20_000;
const ROOT = fileURLToPath(new URL("..", import.meta.url));

export function binary() {
  const { MCP_EVERYTHING, CARGO_TARGET_DIR = "target" } = process.env;
  return resolve(ROOT, MCP_EVERYTHING ?? `${CARGO_TARGET_DIR}/debug/mcp-everything`);
}

/** Starts a program that ends with this process. */
export function start(command, args, { env = {}, stdout = "ignore" } = {}) {
  // An empty place and environment: what the developer's `.env` sets is not for it.
  const home = mkdtempSync(join(tmpdir(), "conformance-home-"));
  const child = spawn(command, args, {
    cwd: home,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", stdout, "inherit"],
  });
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });
  return child;
}

/**
 * Starts the server with the suite's fixtures on a free port: its endpoint, its port, its issuer
 * where it has one, and how many requests it has answered at the endpoint so far.
 */
export async function startServer(settings = { AUTH_MODE: "none" }) {
  let answered = 0;
  const env = { CONFORMANCE: "on", PORT: "0", ...settings };
  const { endpoint, port } = await started(["serve"], env, (entry) => {
    if (entry.event === "http.response" && entry.path === "/mcp") {
      answered += 1;
    }
  });
  return { endpoint, port, issuer: new URL(endpoint).origin, answered: () => answered };
}

/** Starts the authorization server alone on a free port: its issuer. */
export async function startAuthServer() {
  return (await started(["auth-server"], { AUTH_SERVER_PORT: "0" })).issuer;
}

/** Starts the binary; what it says when it has started. `heard` gets each line of its log. */
function started(args, settings, heard = () => undefined) {
  const child = start(binary(), args, { env: { LOG_FORMAT: "json", ...settings }, stdout: "pipe" });
  return new Promise((told, failed) => {
    const timer = setTimeout(
      () => failed(new Error(`${binary()} did not start within ${START_TIMEOUT_MS / 1000} s`)),
      START_TIMEOUT_MS,
    );
    child.once("error", (error) => failed(new Error(`${binary()}: ${error.message}`)));
    child.once("exit", (code) => failed(new Error(`${binary()} ended with ${code}`)));
    // Read to the end, so that the server never waits for room in the pipe.
    createInterface({ input: child.stdout }).on("line", (line) => {
      lookAt(line);
      const entry = parse(line);
      if (entry.event === "server.started") {
        clearTimeout(timer);
        told(entry);
      }
      heard(entry);
    });
  });
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
