// Agency time: what it is, letting it run, and jumping ahead.

import { post } from "/page/api.js";
import { trouble } from "/page/act.js";
import { toast } from "/page/toast.js";
import { nowMs, world } from "/page/world.js";

const STEP_TIMEOUT_S = 600;
const DEFAULT_SPEED = 120;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const at = (id) => document.getElementById(id);

let speed = DEFAULT_SPEED;
// The advance under way: {since}, in machine milliseconds; null = none.
let jump = null;

const told = (ms) => {
  const moment = new Date(ms);
  return `${DAYS[moment.getUTCDay()]} ${moment.toISOString().slice(0, 16).replace("T", " ")} UTC`;
};

const set = (element, text) => element.textContent !== text && (element.textContent = text);

function progress() {
  if (!jump) return world.state.clock.settled ? "Settled" : "Bot at work…";
  const seconds = Math.floor((performance.now() - jump.since) / 1000);
  return `Advancing… ${seconds} s`;
}

export function tick() {
  if (!world.state) return;
  set(at("now"), told(nowMs()));
  at("now").dateTime = new Date(nowMs()).toISOString();
  set(at("progress"), progress());
}

export function draw() {
  const { bot, clock } = world.state;
  set(at("bot"), bot.connected ? "Bot connected" : bot.pid ? "Bot starting" : "Bot not running");
  at("bot").classList.toggle("up", bot.connected);
  set(at("pause"), clock.rate ? "⏸ Pause" : "▶ Run");
  if (clock.rate && document.activeElement !== at("speed")) {
    speed = clock.rate;
    at("speed").value = String(speed);
    if (at("speed").selectedIndex < 0) at("speed").value = "";
  }
  const isBusy = Boolean(jump) || !clock.settled;
  at("settled").dataset.state = jump ? "advancing" : clock.settled ? "settled" : "working";
  at("settled").classList.toggle("busy", isBusy);
  at("bar").hidden = !isBusy;
  for (const button of document.querySelectorAll("[data-advance]")) button.setAttribute("aria-disabled", String(Boolean(jump)));
  tick();
}

async function advance(seconds, refresh) {
  if (jump) return;
  jump = { since: performance.now() };
  at("said").textContent = `Advancing to ${told(nowMs() + seconds * 1000)}`;
  draw();
  try {
    const done = await post("clock", { advance_s: seconds, timeout_s: STEP_TIMEOUT_S });
    at("said").textContent = done.settled ? "The bot has settled." : "";
    if (!done.settled) toast("The bot has not settled yet. It goes on working.");
  } catch (problem) {
    trouble(problem);
  } finally {
    jump = null;
    await refresh();
  }
}

export function listen(refresh) {
  const rate = (value) => post("clock", { rate: value }).then(refresh, trouble);
  at("pause").addEventListener("click", () => rate(world.state.clock.rate ? 0 : speed));
  at("speed").addEventListener("change", (event) => {
    speed = Number(event.target.value);
    if (world.state.clock.rate) rate(speed);
  });
  for (const button of document.querySelectorAll("[data-advance]")) {
    button.addEventListener("click", () => advance(Number(button.dataset.advance), refresh));
  }
  at("time-toggle").addEventListener("click", () => {
    const isOpen = at("clock").classList.toggle("open");
    at("time-toggle").setAttribute("aria-expanded", String(isOpen));
  });
}
