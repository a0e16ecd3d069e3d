// The shop's page: list products, fill a cart, check it out, show which release responded.
"use strict";

const byId = (id) => document.getElementById(id);
let cart = { items: [] };

// One key for each visitor, by which the proxy keeps the visitor on one release.
const user = localStorage.getItem("user") || crypto.getRandomValues(new Uint32Array(4)).join("-");
localStorage.setItem("user", user);

async function ask(path, body, headers = {}) {
  const options = { headers: { "X-User": user, ...headers } };
  if (body !== undefined) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  const answer = await fetch(path, options);
  const colour = answer.headers.get("X-Colour") || "?";
  byId("colour").textContent = colour;
  byId("commit").textContent = answer.headers.get("X-Release") || "?";
  document.body.className = colour;
  const text = await answer.text();
  if (!answer.ok) throw new Error(problem(text, answer.status));
  return text;
}

function problem(text, status) {
  try { return JSON.parse(text).detail; } catch { return `The shop responded with status ${status}.`; }
}

// One at a time, so that a click sees the result of the click before it.
let last = Promise.resolve();
function attempt(action) {
  last = last.then(async () => {
    byId("message").textContent = "";
    try { await action(); } catch (error) { byId("message").textContent = error.message; }
  });
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

function button(text, label, action) {
  const made = element("button", text);
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => attempt(action));
  return made;
}

async function showProducts() {
  const products = JSON.parse(await ask("/products"));
  byId("products").replaceChildren(...products.map((product) => element("li", undefined,
    element("span", product.name), element("span", product.price.toFixed(2)),
    button("Add", `Add ${product.name}`, () => add(product)))));
}

const same = (item, other) => item.description === other.description && item.unitPrice === other.unitPrice;

function add(product) {
  const one = { description: product.name, qty: 1, unitPrice: product.price };
  return save(cart.items.some((item) => same(item, one))
    ? cart.items.map((item) => same(item, one) ? { ...item, qty: item.qty + 1 } : item)
    : [...cart.items, one]);
}

async function save(items) {
  cart = JSON.parse(await ask("/cart", { ...cart, items }));
  showCart();
}

function showCart() {
  byId("items").replaceChildren(...cart.items.map((item) => element("tr", undefined,
    element("td", item.description), element("td", item.qty), element("td", item.unitPrice.toFixed(2)),
    element("td", undefined, button("Remove", `Remove ${item.description}`,
      () => save(cart.items.filter((other) => !same(other, item))))))));
  const cents = cart.items.reduce((sum, item) => sum + item.qty * Math.round(item.unitPrice * 100), 0);
  byId("total").textContent = (cents / 100).toFixed(2);
  byId("checkout").disabled = cart.items.length === 0;
}

async function checkOut() {
  try {
    const order = await ask("/cart/checkout", cart, { "Idempotency-Key": cart.id });
    cart = { items: [] };
    byId("message").textContent = `Thank you. Your order is ${order}.`;
  } finally {
    showCart();
  }
}

byId("checkout").addEventListener("click", (event) => {
  event.target.disabled = true; // a second click would check out the empty cart after it
  attempt(checkOut);
});
byId("new-product").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  attempt(async () => {
    await ask("/data", { id: Number(form.get("id")), name: form.get("name"), price: form.get("price") });
    event.target.reset();
    await showProducts();
  });
});
attempt(showProducts);
