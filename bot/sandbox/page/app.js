// The page: whose eyes it looks through, where, and what that person does there.

import { get, post, Refused } from "/page/api.js";
import { ask } from "/page/modal.js";
import { message } from "/page/render.js";
import { parse, spelled, suggest, values } from "/page/slash.js";
import { node } from "/page/text.js";

const POLL_MS = 1000;
const VIEW = 1n << 10n;
const MANAGE_THREADS = 1n << 34n;
const at = (id) => document.getElementById(id);

let state = null;
let person = localStorage.getItem("person");
let place = localStorage.getItem("place");
let shown = "";
let speed = 120;
let busy = false;
let chosen = new Map();
const seen = new Map();

const context = {
  names: { members: new Map(), roles: new Map(), places: new Map() },
  name: (kind, id) => context.names[kind].get(id) ?? "unknown",
  id: (kind, text) => [...context.names[kind]].find(([id, name]) => id === text || name === text.replace(/^[@#]/, ""))?.[0] ?? text,
  pinged: (who) => context.name(who.startsWith("role:") ? "roles" : "members", who.split(":")[1]),
  nowMs: () => Date.parse(state.clock.now),
};

function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (at("toast").hidden = true), 5000);
}

// Discord's rule: everyone's overwrite, then the roles' together, then the member's own.
function permissions(member, channel) {
  if (member.id === state.guild.owner_id) return ~0n;
  let bits = 0n;
  for (const role of state.roles) if (role.id === state.guild.id || member.roles.includes(role.id)) bits |= BigInt(role.permissions);
  if (bits & 8n) return ~0n;
  const apply = (overwrites) => {
    for (const one of overwrites) bits &= ~BigInt(one.deny);
    for (const one of overwrites) bits |= BigInt(one.allow);
  };
  apply(channel.permission_overwrites.filter((one) => one.id === state.guild.id));
  apply(channel.permission_overwrites.filter((one) => member.roles.includes(one.id)));
  apply(channel.permission_overwrites.filter((one) => one.id === member.id));
  return bits;
}

function places() {
  const member = state.members.find((one) => one.id === person);
  if (!member) return [];
  return state.channels.flatMap((channel) => {
    const bits = permissions(member, channel);
    if (!(bits & VIEW)) return [];
    const threads = state.threads.filter(
      (one) => one.parent_id === channel.id && !one.archived && (!one.private || one.members.includes(person) || bits & MANAGE_THREADS),
    );
    return [channel, ...threads.map((one) => ({ ...one, thread: true }))];
  });
}

function drawFrame() {
  const people = state.members.filter((one) => one.id !== state.bot.id);
  if (!people.some((one) => one.id === person)) person = people[0]?.id;
  const options = people.map((one) => node("option", { value: one.id, selected: one.id === person }, `${one.name} (${one.tier ?? "no role"})`));
  if (at("person").childElementCount !== options.length || at("person").value !== person) at("person").replaceChildren(...options);
  const visible = places();
  if (!visible.some((one) => one.id === place)) place = visible[0]?.id ?? null;
  at("channels").replaceChildren(
    ...visible.map((one) =>
      node(
        "li",
        { class: one.thread ? "thread" : "" },
        node(
          "button",
          { type: "button", "aria-current": one.id === place ? "page" : null, class: one.id !== place && seen.get(one.id)?.fresh ? "fresh" : "", onclick: () => go(one.id) },
          (one.thread ? "↳ " : "# ") + one.name,
        ),
      ),
    ),
  );
  const here = visible.find((one) => one.id === place);
  at("title").textContent = here ? (here.thread ? "" : "# ") + here.name : "Nothing to see for this person";
  at("bot").textContent = state.bot.connected ? "bot connected" : state.bot.pid ? "bot starting" : "bot not running";
  at("bot").classList.toggle("up", state.bot.connected);
  at("now").textContent = state.clock.now.slice(0, 16).replace("T", " ") + " UTC";
  at("pause").textContent = state.clock.rate ? "Pause" : "Run";
  if (state.clock.rate && document.activeElement !== at("speed")) {
    speed = state.clock.rate;
    at("speed").value = [...at("speed").options].some((one) => Number(one.value) === speed) ? String(speed) : "";
  }
  at("settled").textContent = busy ? "advancing…" : state.clock.settled ? "settled" : "working…";
  at("settled").classList.toggle("busy", busy || !state.clock.settled);
}

function readNames() {
  context.names.members = new Map(state.members.map((one) => [one.id, one.name]));
  context.names.roles = new Map(state.roles.map((one) => [one.id, one.name]));
  context.names.places = new Map([...state.channels, ...state.threads].map((one) => [one.id, one.name]));
}

async function drawMessages() {
  const list = at("messages");
  if (!place) return void list.replaceChildren();
  const asked = place;
  const found = (await get("messages", { channel: asked, limit: 100 })).messages.filter(
    (one) => !one.sandbox.deleted && (!one.sandbox.ephemeral_for || one.sandbox.ephemeral_for === person),
  );
  if (asked !== place) return;
  const print = JSON.stringify([person, found]);
  if (print === shown || list.querySelector("select:focus")) return;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60 || !shown.startsWith(JSON.stringify([person]).slice(0, -1));
  shown = print;
  const items = found.map((one) => message(one, context, (customId, chosenValues) => press(one, customId, chosenValues)));
  list.replaceChildren(...(items.length ? items : [node("li", { class: "none" }, "Nothing here yet")]));
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function go(id) {
  place = id;
  shown = "";
  localStorage.setItem("place", id);
  drawFrame();
  drawMessages().catch(trouble);
}

function trouble(problem) {
  toast(problem instanceof Refused ? problem.message : "The sandbox does not answer.");
}

async function answered(result) {
  if (result.error) toast({ no_ack: "The bot did not answer in time.", not_visible: "This person cannot use that here.", bot_down: "The bot is not running." }[result.error.code] ?? result.error.code);
  if (result.modal) {
    const fields = await ask(result.modal, context);
    if (fields) await answered(await post("submit", { user: person, channel: place, custom_id: result.modal.custom_id, opened_by: result.interaction, fields }));
  }
  await refresh();
}

const doing = (work) => work().then(answered).catch(trouble);

function press(data, customId, chosenValues) {
  doing(() => post("press", { user: person, channel: place, message: data.id, custom_id: customId, values: chosenValues }));
}

async function refresh() {
  state = await get("state");
  readNames();
  drawFrame();
  await drawMessages();
}

async function poll() {
  try {
    await refresh();
  } catch (problem) {
    at("bot").textContent = "sandbox stopped";
    at("bot").classList.remove("up");
    if (!(problem instanceof TypeError) && !(problem instanceof Refused)) throw problem;
  } finally {
    setTimeout(poll, POLL_MS);
  }
}

async function advance(seconds) {
  busy = true;
  drawFrame();
  try {
    const done = await post("clock", { advance_s: seconds, timeout_s: 120 });
    if (!done.settled) toast("The bot has not settled yet.");
  } catch (problem) {
    trouble(problem);
  } finally {
    busy = false;
    await refresh().catch(trouble);
  }
}

const setRate = (rate) => post("clock", { rate }).then(refresh).catch(trouble);

function offer(list) {
  const box = at("suggestions");
  box.replaceChildren(
    ...list.slice(0, 25).map((one, index) =>
      node("li", { role: "option", "aria-selected": String(index === 0), onmousedown: (event) => (event.preventDefault(), take(one)) }, one.label, node("small", {}, one.note ?? "")),
    ),
  );
  box.hidden = !list.length;
  offer.first = list[0] ?? null;
}

function take(one) {
  if (one.choice) chosen.set(one.choice[0], one.choice[1]);
  at("typed").value = one.text;
  at("typed").focus();
  typing();
}

async function typing() {
  const text = at("typed").value;
  if (!text.startsWith("/") || !state) return offer([]);
  try {
    const list = await suggest(text, spelled(state.commands), { user: person, channel: place }, context);
    if (at("typed").value === text) offer(list);
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    offer([]);
  }
}

at("person").addEventListener("change", (event) => {
  person = event.target.value;
  localStorage.setItem("person", person);
  shown = "";
  refresh().catch(trouble);
});
at("pause").addEventListener("click", () => setRate(state.clock.rate ? 0 : speed));
at("speed").addEventListener("change", (event) => {
  speed = Number(event.target.value);
  setRate(speed);
});
for (const button of document.querySelectorAll("[data-advance]")) button.addEventListener("click", () => busy || advance(Number(button.dataset.advance)));
at("typed").addEventListener("input", typing);
at("typed").addEventListener("blur", () => offer([]));
at("typed").addEventListener("keydown", (event) => {
  if (event.key === "Tab" && offer.first && !at("suggestions").hidden) {
    event.preventDefault();
    take(offer.first);
  } else if (event.key === "Escape") offer([]);
});
at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("typed").value.trim();
  if (!text || !place) return;
  const who = { user: person, channel: place };
  if (text.startsWith("/")) {
    const parsed = parse(text, spelled(state.commands));
    if (!parsed) return toast("No such command.");
    doing(() => post("slash", { ...who, command: parsed.command.path, options: values(parsed, context, chosen) }));
  } else doing(() => post("say", { ...who, content: text, reply_to: null }));
  at("typed").value = "";
  chosen = new Map();
  offer([]);
});

poll();
