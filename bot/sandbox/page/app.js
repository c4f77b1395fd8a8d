// The page: it looks at the sandbox each second and puts the pieces together.

import * as act from "/page/act.js";
import { get, Refused } from "/page/api.js";
import * as channels from "/page/channels.js";
import * as clock from "/page/clock.js";
import * as composer from "/page/composer.js";
import * as feed from "/page/feed.js";
import { closeMenu, openMenu } from "/page/menu.js";
import { ask, chat } from "/page/modal.js";
import { gist } from "/page/render.js";
import * as store from "/page/store.js";
import { dismissNewest } from "/page/toast.js";
import { choosePerson, choosePlace, commands, context, here, people, places, take, world } from "/page/world.js";

const POLL_MS = 1000;
const TICK_MS = 1000;
const at = (id) => document.getElementById(id);

function draw() {
  if (!people().some((one) => one.id === world.person)) choosePerson(people()[0]?.id);
  if (!here()) choosePlace(places()[0]?.id ?? null);
  channels.draw();
  composer.draw();
  clock.draw();
  feed.draw();
}

// The open place first; the others only for what is unread in them.
async function read() {
  if (world.place && !store.isReady(world.place)) {
    await store.open(world.place);
    draw();
  }
  const left = places().filter((one) => !store.isReady(one.id));
  for (const one of left) await store.open(one.id);
  if (left.length) draw();
}

let drawn = 0;
async function refresh() {
  const state = await get("state");
  if (world.state && state.guild.id !== world.state.guild.id) return location.reload();
  const isFirst = !world.state;
  take(state);
  if (isFirst) store.startAt(state.version);
  const changed = await store.follow();
  if (changed || world.epoch !== drawn) draw();
  else clock.draw();
  drawn = world.epoch;
  await read();
}

const again = () => refresh().catch(act.trouble);

async function poll() {
  try {
    await refresh();
  } catch (problem) {
    if (problem instanceof Refused) return; // A place that went away meanwhile: the next look knows.
    at("bot").textContent = "Sandbox stopped";
    at("bot").classList.remove("up");
    if (!(problem instanceof TypeError)) throw problem;
  } finally {
    setTimeout(poll, POLL_MS);
  }
}

function go(id) {
  choosePlace(id);
  composer.moved();
  closeMenu();
  draw();
  read().catch(act.trouble);
}

function become(id) {
  choosePerson(id);
  composer.moved();
  closeMenu();
  draw();
  read().catch(act.trouble);
}

// The name beside an [Open chat] link, where a list sets one in bold.
function nameNear(element) {
  return element.closest(".section")?.querySelector("strong")?.textContent ?? null;
}

feed.listen(
  {
    press: (element, data) => act.press(data, element.dataset.customId),
    choose: (element, data) => {
      const { value } = element;
      element.value = "";
      act.press(data, element.dataset.customId, [value]);
    },
    "send-choice": (element, data) => {
      const menu = element.parentElement.querySelector("select");
      act.press(data, menu.dataset.customId, [...menu.selectedOptions].map((one) => one.value));
    },
    contact: (element, data) => chat(element.dataset.fan, nameNear(element), gist(data, context)),
    dismiss: (element, data) => {
      store.dismiss(data.id);
      feed.draw();
      at("typed").focus();
    },
    reply: (element, data) => composer.answer(data),
    apps: (element, data) =>
      openMenu(
        element,
        "Commands on this message",
        commands(3).map((one) => [one.name, () => act.onMessage(one.name, data)]),
      ),
    go: (element) => go(element.dataset.place),
  },
  act.trouble,
);
act.connect(draw, again, ask);
channels.listen({ go, become });
clock.listen(again);
composer.listen(feed.toNewest);
at("messages").addEventListener("seen", channels.draw);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (channels.isDrawerOpen()) channels.drawer(false);
    else dismissNewest();
  } else if (event.key === "/" && !event.target.closest("input, textarea, select, dialog")) at("typed").focus();
});
setInterval(() => {
  if (!world.state) return;
  clock.tick();
  feed.tick();
}, TICK_MS);

poll();
