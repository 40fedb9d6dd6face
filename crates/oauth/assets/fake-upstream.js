// Keeps the user id of this browser. The page works without this file.
"use strict";

const KEY = "mcpUserId";
const form = document.getElementById("sign-in");
const input = document.getElementById("userId");
const generate = document.getElementById("generate");
const edit = document.getElementById("edit");

// Storage can be switched off: then the id is not remembered, and that is all.
function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(id) {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // See remembered().
  }
}

// crypto.randomUUID exists only over https and on localhost.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

input.value = remembered() || input.value;
remember(input.value);
generate.hidden = false;
edit.hidden = false;

generate.addEventListener("click", () => {
  input.value = newId();
  remember(input.value);
});

edit.addEventListener("click", () => {
  input.focus();
  input.select();
});

form.addEventListener("submit", (event) => {
  // Cancel, the one button with a name, says nothing of who is there.
  if (!event.submitter?.name && input.checkValidity()) {
    remember(input.value);
  }
});
