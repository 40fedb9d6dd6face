// Copies what stands beside a button, and tells whether the server takes requests. The page works
// without this file.
"use strict";

// Over plain HTTP to another machine a browser has no clipboard: then the text is selected, and the
// user copies it.
async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    const selection = getSelection();
    selection.selectAllChildren(element);
    return "Selected: copy it";
  }
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  const element = document.getElementById(button.dataset.copies);
  const [label, name] = [button.textContent, button.getAttribute("aria-label")];
  let back;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(element.textContent.trimEnd(), element);
    button.textContent = done;
    button.setAttribute("aria-label", done);
    clearTimeout(back);
    back = setTimeout(() => {
      button.textContent = label;
      button.setAttribute("aria-label", name);
    }, 2500);
  });
}

const EVERY = 10_000;
const REASONS = {
  draining: "It is going away.",
  store_unavailable: "Not ready: Redis does not answer.",
  auth_server_not_found: "Not ready: its authorization server has not been found yet.",
};
const readiness = document.getElementById("readiness");
const told = readiness.querySelector("[role=status]");

function tell(state, text) {
  readiness.dataset.state = state;
  // Whoever listens to the page hears of it once.
  if (told.textContent !== text) {
    told.textContent = text;
  }
}

async function look() {
  try {
    const answer = await fetch(readiness.dataset.url, { cache: "no-store" });
    const { status, reason } = await answer.json();
    if (status === "ready") {
      tell("ready", "Ready: it takes requests.");
    } else {
      tell("not-ready", REASONS[reason] ?? "Not ready.");
    }
  } catch {
    tell("away", "It does not answer any more.");
  }
}

function lookWhileSeen() {
  if (!document.hidden) {
    look();
  }
}

lookWhileSeen();
setInterval(lookWhileSeen, EVERY);
document.addEventListener("visibilitychange", lookWhileSeen);
