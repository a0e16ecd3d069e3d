"use strict";
// Requests the state twice a second, and replaces the changed parts. It requests no other host.
const connection = document.querySelector("#connection");

function say(sentence) {
  connection.hidden = !sentence;
  connection.textContent = sentence;
}

async function exchange() {
  const response = await fetch("./", { cache: "no-store" });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.body.dataset.version) return;
  const open = [...document.querySelectorAll("details[open]")].map((each) => each.dataset.key);
  document.title = page.title;
  for (const part of ["header", "main"]) {
    document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
  }
  for (const each of document.querySelectorAll("details")) each.open = open.includes(each.dataset.key);
  document.body.dataset.version = page.body.dataset.version;
  readable(document);
}

async function news() {
  try {
    const state = await (await fetch("state", { cache: "no-store" })).json();
    if (state.version !== document.body.dataset.version) await exchange();
    say(state.note);
  } catch {
    say("canary watch does not respond. Is it still running?");
  }
  setTimeout(news, 500);
}
news();
