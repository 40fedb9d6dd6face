import { execFile } from "node:child_process";
import { createServer, connect } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { seenSecret } from "./secrets.mjs";
import { binary, start, startServer } from "./server.mjs";

const START_TIMEOUT_MS = 20_000;
const INSTANCES = ["ONE", "TWO", "THREE"];
const [BALANCER, SUITE] = ["../deploy/haproxy.cfg", "haproxy.cfg"].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
);

/**
 * Starts three instances with authentication that share a Redis, behind HAProxy, which asks them
 * in turn and adds a token: the endpoint, how many requests each has answered there so far, and
 * the issuer, at which no token is added.
 */
export async function startCluster() {
  const redis = await freePort();
  start("redis-server", ["--port", redis, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
  await listening(redis);

  const [signIn, suite] = [await freePort(), await freePort()];
  const settings = { BASE_URI: `http://localhost:${signIn}`, REDIS_URL: `redis://127.0.0.1:${redis}` };
  const instances = await Promise.all(INSTANCES.map(() => startServer(settings)));
  const ports = INSTANCES.map((name, number) => [`PORT_${name}`, instances[number].port]);
  const places = { BALANCER_PORT: signIn, SUITE_PORT: suite, ...Object.fromEntries(ports) };

  // The token comes from a sign-in through the balancer, which is started again to know it.
  const first = start("haproxy", ["-f", BALANCER], { env: places });
  await listening(signIn);
  const login = [binary(), ["login", "--server", settings.BASE_URI, "--user", "conformance"]];
  const TOKEN = (await promisify(execFile)(...login)).stdout.trim();
  seenSecret(TOKEN);
  first.kill("SIGKILL");
  await new Promise((ended) => first.once("close", ended));
  start("haproxy", ["-f", BALANCER, "-f", SUITE], { env: { ...places, TOKEN } });
  await listening(suite);

  return {
    endpoint: `http://localhost:${suite}/mcp`,
    issuer: settings.BASE_URI,
    answered: () => instances.map((instance) => instance.answered()),
  };
}

const given = new Set();

/**
 * A port of the loopback address that nobody listens on, none twice. Below those that outgoing
 * connections take: one of them could have it meanwhile.
 */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (given.has(port)) {
      continue;
    }
    given.add(port);
    if (await isFree(port)) {
      return String(port);
    }
  }
}

function isFree(port) {
  return new Promise((told, failed) => {
    const inUse = (error) => (error.code === "EADDRINUSE" ? told(false) : failed(error));
    const server = createServer().once("error", inUse);
    server.listen(port, "127.0.0.1", () => server.close(() => told(true)));
  });
}

async function listening(port) {
  const end = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (Date.now() > end) {
      throw new Error(`nobody listens on ${port}`);
    }
    await new Promise((again) => setTimeout(again, 20));
  }
}

function accepts(port) {
  return new Promise((told) => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.once("connect", () => socket.destroy() && told(true));
    socket.once("error", () => told(false));
  });
}
