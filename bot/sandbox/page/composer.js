// Where a person writes: plain messages, answers, and commands with what they can be filled with.

import { command, say } from "/page/act.js";
import { post, Refused } from "/page/api.js";
import { gist } from "/page/render.js";
import { begun, filled, flat, focus, offered, parse, readable, spelled, Unfit, values } from "/page/slash.js";
import { node } from "/page/text.js";
import { toast } from "/page/toast.js";
import { commands, context, here, world } from "/page/world.js";

const DEBOUNCE_MS = 150;
const at = (id) => document.getElementById(id);
const input = at("typed");
const box = at("suggestions");

let chosen = new Map();
let reply = null;
let items = [];
let active = -1;
let asking = { timer: 0, abort: null };
let sent = () => {};

// The list

function highlight(index) {
  active = index;
  for (const [number, one] of [...box.querySelectorAll("[role=option]")].entries()) {
    one.setAttribute("aria-selected", String(number === index));
    if (number === index) one.scrollIntoView({ block: "nearest" });
  }
  if (index >= 0 && !box.hidden) input.setAttribute("aria-activedescendant", "suggestion-" + index);
  else input.removeAttribute("aria-activedescendant");
}

// `found`: [{label, note, take}]; `remark` stands below them; the first is active where `isReady`.
function offer(found, { remark = "", isReady = true } = {}) {
  items = found;
  box.replaceChildren(
    ...found.map((one, index) =>
      node("li", { role: "option", id: "suggestion-" + index, "aria-selected": "false", "data-index": index }, node("span", {}, one.label), one.note ? node("small", {}, one.note) : null),
    ),
  );
  at("remark").textContent = remark;
  at("remark").hidden = !remark;
  box.hidden = !found.length;
  at("picker").hidden = box.hidden && !remark;
  input.setAttribute("aria-expanded", String(!box.hidden));
  box.scrollTop = 0;
  highlight(found.length && isReady ? 0 : -1);
}

const close = () => offer([]);
const isOpen = () => !box.hidden;

function write([text, caret]) {
  input.value = text;
  input.setSelectionRange(caret, caret);
  input.focus();
  typing();
}

// What can be typed next

function offerCommands(text, known) {
  const words = text.slice(1).toLowerCase().split(/\s+/).filter(Boolean);
  const starts = (one) => one.path.startsWith(words.join(" "));
  const found = known.filter((one) => words.every((word) => one.path.includes(word))).sort((one, other) => starts(other) - starts(one));
  const take = (one) => {
    chosen = new Map();
    const first = one.options.find((option) => option.required);
    const whole = "/" + one.path + " " + (first ? first.name + ":" : "");
    write([whole, whole.length]);
  };
  const remark = found.length ? "" : known.length ? "No command is called that." : "There are no commands for you here.";
  offer(found.map((one) => ({ label: "/" + one.path, note: one.description, take: () => take(one) })), { remark });
}

function offerOptions(parsed, text) {
  const left = parsed.command.options.filter((one) => !parsed.parts.some((part) => part.option === one) && one.name.startsWith(parsed.stray));
  const clean = parsed.stray && !parsed.parts.length ? text.slice(0, parsed.command.path.length + 1) : text;
  offer(
    left.map((one) => ({ label: one.name + (one.required ? " (required)" : " (optional)"), note: one.description, take: () => write(begun(clean, one.name)) })),
    { isReady: Boolean(parsed.stray) },
  );
}

function take(parsed, part, one) {
  const label = flat(one.label);
  chosen.set(part.option.name, { label, value: one.value });
  write(filled(input.value, parsed, part, label));
}

function ask(parsed, part) {
  const text = input.value;
  const body = {
    user: world.person,
    channel: world.place,
    command: parsed.command.path,
    options: { ...readable(parsed, context, chosen), [part.option.name]: part.text },
    focused: part.option.name,
  };
  offer(items, { remark: "Looking…", isReady: false });
  asking.timer = setTimeout(async () => {
    const abort = (asking.abort = new AbortController());
    try {
      const { choices, error } = await post("autocomplete", body, abort.signal);
      if (abort.signal.aborted || input.value !== text) return;
      const remark = error ? "The bot does not answer just now." : choices.length ? "" : "Nothing like that was found.";
      offer(choices.map((one) => ({ label: one.name, note: "", take: () => take(parsed, part, { label: one.name, value: one.value }) })), { remark });
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (!(problem instanceof Refused) && !(problem instanceof TypeError)) throw problem;
      offer([], { remark: problem instanceof Refused ? problem.message : "The sandbox does not answer." });
    }
  }, DEBOUNCE_MS);
}

function offerValues(parsed, part) {
  const picked = chosen.get(part.option.name);
  const raw = input.value.slice(part.from, part.to);
  if (picked?.label === part.text && part.text) {
    // Picked from a list: a space after it means that this one is done.
    return /\s$/.test(raw) && part === parsed.parts.at(-1) ? offerOptions(parsed, input.value) : close();
  }
  const all = offered(part.option, context);
  if (all) {
    const found = all.filter((one) => one.label.toLowerCase().includes(part.text.toLowerCase()));
    return offer(found.map((one) => ({ ...one, take: () => take(parsed, part, one) })), { remark: found.length ? "" : "Nothing like that is to choose from." });
  }
  if (part.option.autocomplete) return ask(parsed, part);
  return close();
}

function hints(parsed, part) {
  const bar = at("hints");
  bar.hidden = !parsed;
  if (!parsed) return;
  const chips = parsed.command.options.map((option) => {
    const own = parsed.parts.find((one) => one.option === option);
    const isHere = part?.option === option;
    const isPicked = own?.text && chosen.get(option.name)?.label === own.text;
    const state = isPicked || (own?.text && !isHere) ? "filled" : option.required ? "required" : "optional";
    return node(
      "button",
      { type: "button", class: `chip ${state}${isHere ? " here" : ""}`, "aria-current": isHere ? "true" : null, title: option.description, "data-option": option.name },
      option.name,
      node("small", {}, state === "filled" ? "✓ filled" : state),
    );
  });
  const about = part?.option ?? null;
  bar.replaceChildren(
    node("span", { class: "about" }, about ? `${about.name}: ${about.description}` : `/${parsed.command.path}: ${parsed.command.description}`),
    node("span", { class: "chips" }, ...chips),
  );
  bar.querySelector(".here")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function typing() {
  clearTimeout(asking.timer);
  asking.abort?.abort();
  const text = input.value;
  if (!text.startsWith("/") || !world.state) {
    hints(null);
    return close();
  }
  const known = spelled(commands(1));
  const parsed = parse(text, known, chosen);
  const part = parsed && focus(parsed, input.selectionStart);
  hints(parsed, part);
  if (!parsed || text === "/" + parsed.command.path) return offerCommands(text, known);
  return part ? offerValues(parsed, part) : offerOptions(parsed, text);
}

// Sending

function clear() {
  input.value = "";
  chosen = new Map();
  answer(null);
  typing();
}

async function submit() {
  const text = input.value.trim();
  if (!text) return;
  if (!here()) return toast("There is no channel to write in.");
  const before = { text: input.value, chosen, reply };
  let going;
  if (text.startsWith("/")) {
    const parsed = parse(input.value.trimEnd(), spelled(commands(1)), chosen);
    if (!parsed) return toast("No such command for you here. Type / to see what there is.");
    try {
      going = command(parsed.command.path, values(parsed, context, chosen));
    } catch (problem) {
      if (!(problem instanceof Unfit)) throw problem;
      toast(problem.message);
      if (problem.option) toOption(problem.option);
      return;
    }
  } else going = say(text, reply?.id ?? null);
  clear();
  sent();
  if (!(await going) && !input.value) {
    // Refused: nothing that was written is lost.
    chosen = before.chosen;
    answer(before.reply);
    write([before.text, before.text.length]);
  }
}

// Puts the caret into an option, begun if it is not there yet.
function toOption(name) {
  const parsed = parse(input.value, spelled(commands(1)), chosen);
  const part = parsed?.parts.find((one) => one.option.name === name);
  write(part ? [input.value, part.from + part.text.length] : begun(input.value, name));
}

export function answer(data) {
  reply = data;
  at("replying").hidden = !data;
  at("reply-to").textContent = data ? `Answering ${data.author.global_name ?? data.author.username}: ${gist(data, context)}` : "";
  if (data) input.focus();
}

export function draw() {
  const place = here();
  input.disabled = !place;
  const name = place ? `${place.parent_id && !place.permission_overwrites ? "" : "#"}${place.name}` : "";
  input.placeholder = !place ? "No channel" : place.archived ? "Archived: a message opens it again" : `Write in ${name}, or / for a command`;
}

// Another person or place: a half-typed command stays, what it may offer does not.
export function moved() {
  answer(null);
  close();
  hints(null);
}

function keys(event) {
  if (event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && isOpen()) {
    event.preventDefault();
    highlight(active < 0 ? (step > 0 ? 0 : items.length - 1) : (active + step + items.length) % items.length);
  } else if (event.key === "Tab" && !event.shiftKey && isOpen()) {
    event.preventDefault();
    items[Math.max(active, 0)].take();
  } else if (event.key === "Enter" && isOpen() && active >= 0) {
    event.preventDefault();
    items[active].take();
  } else if (event.key === "Enter" && event.repeat) event.preventDefault();
  else if (event.key === "Escape" && (isOpen() || reply)) {
    event.preventDefault();
    event.stopPropagation();
    if (isOpen()) close();
    else answer(null);
  }
}

export function listen(done) {
  sent = done;
  input.addEventListener("input", typing);
  input.addEventListener("click", typing);
  input.addEventListener("keyup", (event) => /^(ArrowLeft|ArrowRight|Home|End)$/.test(event.key) && typing());
  input.addEventListener("keydown", keys);
  input.addEventListener("blur", close);
  box.addEventListener("mousedown", (event) => event.preventDefault());
  box.addEventListener("click", (event) => items[event.target.closest("[data-index]")?.dataset.index]?.take());
  at("hints").addEventListener("click", (event) => {
    const name = event.target.closest("[data-option]")?.dataset.option;
    if (name) toOption(name);
  });
  at("reply-cancel").addEventListener("click", () => {
    answer(null);
    input.focus();
  });
  at("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}
