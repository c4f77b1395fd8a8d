// The messages the page has read, by place, and what each person has seen of them.

import { get } from "/page/api.js";
import { me, pings, world } from "/page/world.js";

export const PAGE = 100;
const DISMISSED_KEPT = 500;
const rooms = new Map();
let since = 0;

// Ids are numbers too large for a number: the longer is the newer.
export const order = (one, other) => one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);

function room(place) {
  if (!rooms.has(place)) rooms.set(place, { messages: new Map(), sorted: null, oldest: null, reading: null, ready: false, whole: false });
  return rooms.get(place);
}

const revision = (one) => [one.sandbox.deleted, one.sandbox.edits, one.edited_timestamp ?? ""].map((part) => String(part).padStart(8, "0")).join();

function put(at, data) {
  const known = at.messages.get(data.id);
  // Answers may arrive in another order than they were given in.
  if (known && revision(known) > revision(data)) return false;
  if (known && JSON.stringify(known) === JSON.stringify(data)) return false;
  at.messages.set(data.id, data);
  at.sorted = null;
  return true;
}

// Takes messages that were read or answered; true = something on show may differ.
export function apply(messages) {
  let changed = false;
  for (const data of messages) {
    const at = rooms.get(data.channel_id);
    if (!at || (!at.ready && !at.reading)) continue;
    if (at.ready && at.oldest && order(data.id, at.oldest) < 0) continue;
    changed = put(at, data) || changed;
  }
  return changed;
}

// Reads the newest of a place, once.
export function open(place) {
  const at = room(place);
  at.reading ??= get("messages", { channel: place, limit: PAGE }).then(
    ({ messages }) => {
      for (const data of messages) put(at, data);
      at.oldest = messages[0]?.id ?? null;
      at.whole = messages.length < PAGE;
      at.ready = true;
    },
    (problem) => {
      at.reading = null;
      throw problem;
    },
  );
  return at.reading;
}

export async function earlier(place) {
  const at = room(place);
  const { messages } = await get("messages", { channel: place, before: at.oldest, limit: PAGE });
  for (const data of messages) put(at, data);
  at.oldest = messages[0]?.id ?? at.oldest;
  at.whole = messages.length < PAGE;
}

// Everything that changed anywhere since the last call; true = something may look different.
export async function follow() {
  let changed = false;
  for (;;) {
    const { version, messages } = await get("messages", { since_version: since });
    since = version;
    changed = apply(messages) || changed;
    if (messages.length < PAGE) return changed;
  }
}

export const startAt = (version) => (since = version);
export const isReady = (place) => rooms.get(place)?.ready ?? false;
export const isWhole = (place) => rooms.get(place)?.whole ?? false;
export const find = (place, id) => rooms.get(place)?.messages.get(id) ?? null;

// What the person sees in a place, oldest first.
export function visible(place) {
  const at = room(place);
  at.sorted ??= [...at.messages.values()].sort((one, other) => order(one.id, other.id));
  const gone = dismissed();
  return at.sorted.filter(
    (one) => !one.sandbox.deleted && (!one.sandbox.ephemeral_for || (one.sandbox.ephemeral_for === world.person && !gone.has(one.id))),
  );
}

// What is kept in the browser, of this guild only: another run has other ids.

function kept(name, empty) {
  try {
    const found = JSON.parse(localStorage.getItem(name));
    if (found?.guild === world.state.guild.id) return found.value;
  } catch {
    // Not ours, or cut short: it is written anew.
  }
  return empty;
}

const keep = (name, value) => localStorage.setItem(name, JSON.stringify({ guild: world.state.guild.id, value }));

let gone = null;
function dismissed() {
  gone ??= new Set(kept("dismissed", []));
  return gone;
}

export function dismiss(id) {
  dismissed().add(id);
  keep("dismissed", [...gone].slice(-DISMISSED_KEPT));
}

let seen = null;
const seenBy = (person) => ((seen ??= kept("seen", {}))[person] ??= {});
export const lastSeen = (place) => seenBy(world.person)[place] ?? "0";

export function markSeen(place) {
  const last = visible(place).at(-1)?.id;
  if (!last || order(last, lastSeen(place)) <= 0) return false;
  seenBy(world.person)[place] = last;
  keep("seen", seen);
  return true;
}

// {fresh, pings}: public messages of others since the person last looked.
export function unread(place) {
  const member = me();
  const counted = { fresh: 0, pings: 0 };
  if (!member || !isReady(place)) return counted;
  const last = lastSeen(place);
  for (const one of visible(place)) {
    if (one.sandbox.ephemeral_for || one.author.id === member.id || order(one.id, last) <= 0) continue;
    counted.fresh += 1;
    if (pings(one, member)) counted.pings += 1;
  }
  return counted;
}
