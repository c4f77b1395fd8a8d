// What the person does, on its way to the bot: each once, and what comes of it.

import { post, Refused } from "/page/api.js";
import { apply } from "/page/store.js";
import { toast } from "/page/toast.js";
import { context, world } from "/page/world.js";

// At least this long a pressed message stays held: a double click must not hit what the answer brings.
const HELD_MS = 500;

// message id -> the custom_id being pressed on it
export const flying = new Map();
// commands without an answer yet: {id, person, place, text}
export const waiting = [];
const TROUBLE = {
  no_ack: "The bot did not answer within three seconds. Look whether it happened before you try again.",
  bot_down: "The bot is not running.",
};

let redraw = () => {};
let look = async () => {};
let openForm = () => {};
let count = 0;

// `draw` shows what changed, `refresh` reads it first; `ask(modal, send)` shows a form, send(fields) resolves to a
// problem or null.
export function connect(draw, refresh, ask) {
  redraw = draw;
  look = refresh;
  openForm = ask;
}

export function trouble(problem) {
  if (problem.name === "AbortError") return;
  toast(problem instanceof Refused ? problem.message : "The sandbox does not answer.");
  if (!(problem instanceof Refused) && !(problem instanceof TypeError)) throw problem;
}

function errorText(result, who) {
  if (!result.error) return null;
  if (result.error.code === "not_visible") return `${context.name("members", who.user)} cannot use that here.`;
  return TROUBLE[result.error.code] ?? result.error.code;
}

// Shows what an interaction brought. The form it may open lives on by itself.
function follow(result, who) {
  apply(result.messages ?? []);
  const text = errorText(result, who);
  if (text) toast(text);
  else if (!result.settled && !result.modal) toast("The bot is still at work; its answer will appear by itself.", "info");
  if (result.modal) openForm(result.modal, (fields) => submit(result, fields, who));
  redraw();
}

async function submit(opened, fields, who) {
  const body = { ...who, custom_id: opened.modal.custom_id, opened_by: opened.interaction, fields };
  try {
    const result = await post("submit", body);
    const text = errorText(result, who);
    if (text) return { text, field: null };
    follow(result, who);
    return null;
  } catch (problem) {
    if (problem instanceof Refused) return { text: problem.message, field: problem.field?.replace(/^fields\./, "") ?? null };
    if (problem instanceof TypeError) return { text: "The sandbox does not answer.", field: null };
    throw problem;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function press(data, customId, values = []) {
  if (flying.has(data.id)) return;
  flying.set(data.id, customId);
  redraw();
  const who = { user: world.person, channel: data.channel_id };
  const held = pause(HELD_MS);
  try {
    follow(await post("press", { ...who, message: data.id, custom_id: customId, values }), who);
  } catch (problem) {
    trouble(problem);
  } finally {
    await held;
    flying.delete(data.id);
    redraw();
  }
}

// True = it was sent, whatever came of it.
async function send(path, body, text) {
  const one = { id: ++count, person: world.person, place: world.place, text };
  const who = { user: world.person, channel: world.place };
  waiting.push(one);
  redraw();
  try {
    follow(await post(path, { ...who, ...body }), who);
    return true;
  } catch (problem) {
    trouble(problem);
    return false;
  } finally {
    waiting.splice(waiting.indexOf(one), 1);
    redraw();
  }
}

export const command = (path, options) => send("slash", { command: path, options }, "/" + path);
export const onMessage = (name, data) => send("slash", { command: name, target: data.id }, name);

export async function say(content, replyTo) {
  try {
    await post("say", { user: world.person, channel: world.place, content, reply_to: replyTo });
    await look();
    return true;
  } catch (problem) {
    trouble(problem);
    return false;
  }
}

// A person of the agency writes to a fan on the platform. Resolves to a problem's text, or null.
export async function contact(fan) {
  try {
    await post("contact", { user: world.person, channel: world.place, fan });
    return null;
  } catch (problem) {
    if (problem instanceof TypeError) return "The sandbox does not answer.";
    if (!(problem instanceof Refused)) throw problem;
    // Without a code it is the server that has no such call, not the call that refuses.
    if (problem.status === 404 && !problem.code) return "This sandbox cannot pass messages on to fans.";
    return problem.message;
  }
}
