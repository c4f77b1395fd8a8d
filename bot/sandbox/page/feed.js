// The open place: its messages, kept still under the reader's eyes while they change.

import { flying, waiting } from "/page/act.js";
import { children } from "/page/morph.js";
import { gist, message } from "/page/render.js";
import * as store from "/page/store.js";
import { node, restamp } from "/page/text.js";
import { commands, context, here, me, nowMs, tierName, world } from "/page/world.js";

const NEAR_END = 40;
const TOLD = 10;
const CLICK_MS = 50;
const list = document.getElementById("messages");
const jump = document.getElementById("jump");
const announcer = document.getElementById("announcer");

// What is drawn: whose eyes, which messages (`from` the first; `more` = the reader asked for earlier ones), after
// which message the new ones begin, and the last one told of.
let shown = { place: null, person: null, from: null, more: false, divider: null, last: "0", ready: false };
let follows = true;
let fresh = 0;
// While a button of the mouse or a finger is down nothing moves: what is let go of must be what was pressed.
let isHeld = false;
let isDue = false;
let letting = 0;
const prints = new WeakMap();

const toEnd = () => (list.scrollTop = list.scrollHeight);

function empty() {
  const member = me();
  const place = here();
  if (!place) return [`${member?.name ?? "Nobody"} sees no channel`, `${member?.name ?? "This person"} (${tierName(member?.tier ?? null)}) has no role that opens one. Choose somebody else under “You are”.`];
  if (!store.isReady(place.id)) return ["Reading…", ""];
  return ["Nothing here yet", "The bot posts here as soon as a fan needs somebody. Let time pass with the buttons above, or type / for a command."];
}

function announce(found) {
  const news = found.filter((one) => store.order(one.id, shown.last) > 0 && one.author.id !== world.person);
  if (found.length) shown.last = found.at(-1).id;
  if (!follows) fresh += news.length;
  // Added line by line: a text put over one that is still being read out would cut it off.
  announcer.append(...news.map((one) => node("p", {}, `${one.author.global_name ?? one.author.username}: ${gist(one, context)}`)));
  while (announcer.childElementCount > TOLD) announcer.firstElementChild.remove();
}

// From which message on: a hundred while following the newest, and not moving while the reader looks back.
function windowed(found) {
  if ((follows && !shown.more) || shown.from === null) shown.from = (found.at(-store.PAGE) ?? found[0])?.id ?? null;
  return shown.from === null ? found : found.filter((one) => store.order(one.id, shown.from) >= 0);
}

function top(found, some) {
  if (some.length < found.length || !store.isWhole(world.place)) {
    return node("li", { class: "top", "data-key": "top" }, node("button", { type: "button", "data-act": "earlier" }, "Show earlier messages"));
  }
  return node("li", { class: "top note", "data-key": "top" }, "This is the beginning.");
}

function rows(found) {
  const hasApps = commands(3).length > 0;
  const some = windowed(found);
  const made = [top(found, some)];
  for (const data of some) {
    if (shown.divider && store.order(data.id, shown.divider) > 0 && !made.some((one) => one.dataset.key === "new")) {
      made.push(node("li", { class: "divider", "data-key": "new", role: "separator" }, "New since you last looked"));
    }
    const held = flying.get(data.id) ?? null;
    const known = list.querySelector(`:scope > [data-key="${data.id}"]`);
    const own = [world.epoch, world.person, held, hasApps, JSON.stringify(data)].join("\n");
    if (known && prints.get(known) === own) made.push(known);
    else {
      const drawn = message(data, context, held, hasApps);
      prints.set(known ?? drawn, own);
      made.push(drawn);
    }
  }
  for (const one of waiting.filter((each) => each.place === world.place && each.person === world.person)) {
    made.push(
      node("li", { class: "waiting", "data-key": "waiting-" + one.id }, node("span", { class: "spinner", "aria-hidden": "true" }), `Waiting for the answer to ${one.text}`),
    );
  }
  return made;
}

// Where the first row in sight stands, to put it back there.
function anchor() {
  const edge = list.getBoundingClientRect().top;
  const row = [...list.children].find((one) => one.dataset.message && one.getBoundingClientRect().bottom > edge);
  return row ? [row, row.getBoundingClientRect().top] : null;
}

function enter() {
  const place = here();
  const counted = place ? store.unread(place.id).fresh : 0;
  const last = (place && store.visible(place.id).at(-1)?.id) ?? "0";
  shown = { place: world.place, person: world.person, from: null, more: false, divider: counted ? store.lastSeen(place.id) : null, last };
  follows = true;
  fresh = 0;
  list.replaceChildren();
}

export function draw() {
  const place = here();
  isDue = isHeld && place !== null && shown.place === world.place && shown.person === world.person;
  if (isDue) return;
  const isNew = shown.place !== world.place || shown.person !== world.person || (place && !shown.ready && store.isReady(place.id));
  if (isNew) enter();
  shown.ready = place ? store.isReady(place.id) : false;
  const found = place && shown.ready ? store.visible(place.id) : [];
  announce(found);
  const held = follows ? null : anchor();
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const focusedId = focused?.dataset.customId;
  const focusedRow = focused?.closest("[data-message]");
  const lines = empty();
  const pendingHere = waiting.some((each) => each.place === world.place && each.person === world.person);
  if (found.length || pendingHere) children(list, rows(found));
  else children(list, [node("li", { class: "none", "data-key": "none" }, node("strong", {}, lines[0]), node("span", {}, lines[1]))]);
  refocus(focused, focusedId, focusedRow);
  if (held && held[0].isConnected) list.scrollTop += held[0].getBoundingClientRect().top - held[1];
  if (isNew) start();
  else if (follows) toEnd();
  look();
}

// A list may be sorted anew: the focus goes with the button, not with its place.
function refocus(focused, customId, row) {
  if (!focused) return;
  if (customId && row?.isConnected && focused.dataset.customId !== customId) {
    const same = [...row.querySelectorAll("[data-custom-id]")].find((one) => one.dataset.customId === customId);
    if (same) return void same.focus({ preventScroll: true });
  }
  if (!focused.isConnected) (row?.isConnected ? (row.querySelector("button, select, a") ?? list) : list).focus({ preventScroll: true });
}

function start() {
  const divider = list.querySelector(".divider");
  toEnd();
  if (divider && divider.getBoundingClientRect().top < list.getBoundingClientRect().top) {
    divider.scrollIntoView({ block: "start" });
    follows = false;
  }
}

// What changes its height under a reader of the newest leaves him at the newest.
function stay() {
  if (isHeld) isDue = true;
  else if (follows) toEnd();
}

function isAtEnd() {
  return list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
}

// What follows from where the reader is: the button, and what counts as seen.
function look() {
  if (follows) fresh = 0;
  const away = list.scrollHeight - list.scrollTop - list.clientHeight > list.clientHeight * 1.5;
  jump.hidden = follows || !(fresh || away);
  jump.textContent = fresh ? `↓ Jump to newest (${fresh} new)` : "↓ Jump to newest";
  if (follows && shown.ready && document.visibilityState === "visible" && store.markSeen(world.place)) list.dispatchEvent(new Event("seen"));
}

export function tick() {
  restamp(list, nowMs());
}

async function showEarlier() {
  const found = store.visible(world.place);
  const index = found.findIndex((one) => one.id === shown.from);
  if (index < store.PAGE && !store.isWhole(world.place)) await store.earlier(world.place);
  const now = store.visible(world.place);
  const at = now.findIndex((one) => one.id === shown.from);
  shown.from = now[Math.max(0, at - store.PAGE)]?.id ?? shown.from;
  shown.more = true;
  follows = false;
  draw();
}

// The click comes after the pointer has gone up, with a finger a moment later, and what was held back after it.
function letGo() {
  if (!isHeld) return;
  clearTimeout(letting);
  letting = setTimeout(() => {
    isHeld = false;
    if (isDue) draw();
  }, CLICK_MS);
}

// What the person sends comes at the end, and so does its answer.
export function toNewest() {
  follows = true;
  shown.more = false;
  draw();
}

const rowOf = (element) => store.find(world.place, element.closest("[data-message]")?.dataset.message);

// `acts`: what each data-act does, given the element and its message.
export function listen(acts, trouble) {
  const all = { earlier: () => showEarlier().catch(trouble), spoiler: (element) => element.setAttribute("data-kept-shown", ""), ...acts };
  list.addEventListener("click", (event) => {
    const element = event.target.closest("[data-act]");
    if (!element || element.dataset.act === "choose" || element.getAttribute("aria-disabled") === "true") return;
    // The second half of a double click would press whatever has come under the pointer.
    if (event.detail > 1 && element.dataset.act === "press") return;
    all[element.dataset.act]?.(element, rowOf(element));
  });
  list.addEventListener("keydown", (event) => {
    const isMenu = event.target.matches("select[data-act]:not([multiple])");
    if (event.key === "Enter" && event.repeat) event.preventDefault();
    else if (isMenu && event.target.getAttribute("aria-disabled") === "true" && event.key !== "Tab") event.preventDefault();
    else if (isMenu && /^Arrow/.test(event.key) && !event.altKey) {
      // A closed menu would choose with each arrow key, and choosing sends.
      event.preventDefault();
      event.target.showPicker?.();
    }
  });
  list.addEventListener("change", (event) => {
    if (event.target.matches("select[data-act]:not([multiple])") && event.target.value) all.choose(event.target, rowOf(event.target));
  });
  list.addEventListener("scroll", () => {
    follows = isAtEnd();
    if (follows) shown.more = false;
    look();
  });
  list.addEventListener("pointerdown", (event) => {
    // An open menu keeps the end of its press for itself.
    if (event.button !== 0 || event.target.closest("select")) return;
    clearTimeout(letting);
    isHeld = true;
  });
  for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, letGo);
  window.addEventListener("pointermove", (event) => event.buttons === 0 && letGo());
  window.addEventListener("blur", letGo);
  list.addEventListener("load", stay, true);
  new ResizeObserver(stay).observe(list);
  jump.addEventListener("click", () => {
    toNewest();
    list.focus({ preventScroll: true });
  });
  document.addEventListener("visibilitychange", look);
}
