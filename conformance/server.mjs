import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const START_TIMEOUT_MS = 20_000;
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Starts the server with the suite's fixtures on a free port; its endpoint. */
export async function startServer() {
  const { MCP_EVERYTHING, CARGO_TARGET_DIR = "target" } = process.env;
  const binary = resolve(ROOT, MCP_EVERYTHING ?? `${CARGO_TARGET_DIR}/debug/mcp-everything`);
  // An empty place and environment: what the developer's `.env` sets is not for this server.
  const home = mkdtempSync(join(tmpdir(), "conformance-home-"));
  const child = spawn(binary, ["serve"], {
    cwd: home,
    env: { AUTH_MODE: "none", CONFORMANCE: "on", PORT: "0", LOG_FORMAT: "json" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Whatever ends this process ends the server.
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });
  return endpoint(child, binary);
}

function endpoint(child, binary) {
  return new Promise((found, failed) => {
    const timer = setTimeout(
      () => failed(new Error(`${binary} did not start within ${START_TIMEOUT_MS / 1000} s`)),
      START_TIMEOUT_MS,
    );
    child.once("error", (error) => failed(new Error(`${binary}: ${error.message}`)));
    child.once("exit", (code) => failed(new Error(`${binary} ended with ${code}`)));
    // Read to the end, so that the server never waits for room in the pipe.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const entry = parse(line);
      if (entry.event === "server.started") {
        clearTimeout(timer);
        found(entry.endpoint);
      }
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
