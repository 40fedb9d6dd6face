// A user at a browser that keeps cookies and has no JavaScript.

import { seenSecret } from "./secrets.mjs";

const MOST_STEPS = 12;
const ENTITIES = { "&#38;": "&", "&#34;": '"', "&#39;": "'", "&#60;": "<", "&#62;": ">", "&amp;": "&" };

/** Submits every form as it was filled in, as `user`; the URL of the first page without a form. */
export async function signIn(start, user) {
  const cookies = new Map();
  let [url, options] = [new URL(start), {}];
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const answer = await fetch(url, { ...options, redirect: "manual", headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      cookies.set(name, value);
      seenSecret(value);
    }
    const location = answer.headers.get("location");
    if (location !== null) {
      [url, options] = [new URL(location, url), {}];
      ["code", "state"].forEach((name) => seenSecret(url.searchParams.get(name)));
      continue;
    }
    const page = await answer.text();
    if (!answer.ok) {
      throw new Error(`${url.origin}${url.pathname} answered ${answer.status}: ${page}`);
    }
    const form = /<form ([^>]*)>(.*?)<\/form>/s.exec(page);
    if (form === null) {
      return url;
    }
    [url, options] = submitted(url, form, user);
  }
  throw new Error(`the pages lead nowhere; the last was ${url.origin}${url.pathname}`);
}

function submitted(page, [, opening, content], user) {
  const inputs = [...content.matchAll(/<input ([^>]*)>/g)].map(([, tag]) => tag);
  const fields = new URLSearchParams(
    inputs
      .map((tag) => [attribute(tag, "name"), attribute(tag, "value") ?? ""])
      .filter(([name]) => name !== undefined)
      .map(([name, value]) => [name, name === "userId" ? user : value]),
  );
  const url = new URL(attribute(opening, "action"), page);
  if (attribute(opening, "method") === "post") {
    return [url, { method: "POST", body: fields }];
  }
  url.search = fields;
  return [url, {}];
}

function attribute(tag, name) {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&(#\d+|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
