// The list of channels and threads with what is unread in them, and who looks.

import { children, morph } from "/page/morph.js";
import { unread } from "/page/store.js";
import { node } from "/page/text.js";
import { here, me, people, places, rooms, TIERS, tierName, world } from "/page/world.js";

const at = (id) => document.getElementById(id);
const list = at("channels");
const unfolded = new Set();
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const PHONE = matchMedia("(max-width: 760px)");

const counted = (count) => (count > 99 ? "99+" : String(count));

function marks(place) {
  const { fresh, pings } = unread(place.id);
  if (!fresh) return [];
  return [
    node(
      "span",
      { class: "marks" },
      pings ? node("span", { class: "mark ping" }, plural(pings, "ping")) : null,
      node("span", { class: "mark" }, `${counted(fresh)} new`),
    ),
  ];
}

function row(place, kind) {
  const sign = kind === "channel" ? "#" : "🧵";
  const { fresh } = unread(place.id);
  const isHere = place.id === world.place;
  return node(
    "li",
    { class: kind, "data-key": place.id },
    node(
      "button",
      { type: "button", "data-place": place.id, "aria-current": isHere ? "page" : null, class: fresh && !isHere ? "fresh" : "" },
      node("span", { class: "sign", "aria-hidden": "true" }, sign),
      node("span", { class: "label", title: place.name }, place.name),
      kind === "archived" ? node("small", {}, "archived") : null,
      ...marks(place),
    ),
  );
}

function channelRows({ channel, threads, archived }) {
  const made = [row(channel, "channel"), ...threads.map((one) => row(one, "thread"))];
  if (!archived.length) return made;
  const isOpen = unfolded.has(channel.id) || archived.some((one) => one.id === world.place);
  made.push(
    node(
      "li",
      { class: "fold", "data-key": "fold-" + channel.id },
      node("button", { type: "button", "data-fold": channel.id, "aria-expanded": String(isOpen) }, `${isOpen ? "▾" : "▸"} ${plural(archived.length, "archived thread")}`),
    ),
  );
  return isOpen ? [...made, ...archived.map((one) => row(one, "archived"))] : made;
}

function drawPeople() {
  const groups = TIERS.map((tier) => [tier, people().filter((one) => (one.tier ?? null) === tier)]).filter(([, found]) => found.length);
  const made = node(
    "select",
    { id: "person" },
    ...groups.map(([tier, found]) =>
      node("optgroup", { label: tierName(tier) }, ...found.map((one) => node("option", { value: one.id }, `${one.name} (${tierName(tier)})`))),
    ),
  );
  morph(at("person"), made);
  if (at("person").value !== world.person) at("person").value = world.person;
}

function drawTitle() {
  const place = here();
  const channel = place?.parent_id && world.state.channels.find((one) => one.id === place.parent_id);
  const state = [place?.archived ? "archived" : null, place?.locked ? "locked" : null].filter(Boolean).join(", ");
  const name = place ? (channel ? `🧵 ${place.name}` : `# ${place.name}`) : "No channel";
  children(at("title"), [document.createTextNode(name), ...(channel ? [node("small", {}, ` in # ${channel.name}`)] : []), ...(state ? [node("small", {}, ` · ${state}`)] : [])]);
  const total = places().reduce((sum, one) => sum + unread(one.id).fresh, 0);
  const pinged = places().reduce((sum, one) => sum + unread(one.id).pings, 0);
  document.title = `${total ? `(${counted(total)}) ` : ""}${name} · Fanwatch sandbox`;
  at("drawer-marks").textContent = [total ? `${counted(total)} new` : null, pinged ? plural(pinged, "ping") : null].filter(Boolean).join(", ");
}

export function draw() {
  drawPeople();
  const found = rooms();
  children(list, found.length ? found.flatMap(channelRows) : [node("li", { class: "nothing", "data-key": "nothing" }, `${me()?.name ?? "Nobody"} sees no channel.`)]);
  drawTitle();
}

export function drawer(isOpen) {
  const wasOpen = document.body.classList.contains("drawer");
  document.body.classList.toggle("drawer", isOpen);
  at("drawer-open").setAttribute("aria-expanded", String(isOpen));
  for (const id of ["main", "header"]) at(id).inert = isOpen;
  if (isOpen) (list.querySelector("[aria-current]") ?? at("person")).focus();
  else if (wasOpen) at("drawer-open").focus();
}

export function listen({ go, become }) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.fold) {
      if (!unfolded.delete(button.dataset.fold)) unfolded.add(button.dataset.fold);
      draw();
      return;
    }
    go(button.dataset.place);
    if (PHONE.matches) drawer(false);
  });
  at("person").addEventListener("change", (event) => become(event.target.value));
  at("drawer-open").addEventListener("click", () => drawer(true));
  at("drawer-close").addEventListener("click", () => drawer(false));
  at("shade").addEventListener("click", () => drawer(false));
  PHONE.addEventListener("change", () => drawer(false));
}

export const isDrawerOpen = () => document.body.classList.contains("drawer");
