// What the page knows of the server: the last state, through whose eyes it looks, and where.

const ADMINISTRATOR = 1n << 3n;
const VIEW = 1n << 10n;
const USE_COMMANDS = 1n << 31n;
const MANAGE_THREADS = 1n << 34n;
const EVERYTHING = ~0n;

export const TIERS = ["chatter", "lead", "manager", "owner", null];
export const tierName = (tier) => tier ?? "no role";

export const world = {
  state: null,
  person: localStorage.getItem("person"),
  place: localStorage.getItem("place"),
  // Rises whenever anything but the clock and the bot's connection is another: people, roles, places, commands.
  epoch: 0,
};

let heard = 0;
let print = "";
let names = { members: new Map(), roles: new Map(), places: new Map() };

export function take(state) {
  heard = performance.now();
  world.state = state;
  const { channels, threads, roles, members, commands: registered } = state;
  const now = JSON.stringify([channels, threads, roles, members, registered]);
  if (now === print) return;
  print = now;
  world.epoch += 1;
  names = {
    members: new Map(state.members.map((one) => [one.id, one.name])),
    roles: new Map(state.roles.map((one) => [one.id, one.name])),
    places: new Map([...state.channels, ...state.threads].map((one) => [one.id, one.name])),
  };
}

// Agency time now, in milliseconds: it goes on between two looks at the clock.
export function nowMs() {
  const { now, rate } = world.state.clock;
  return Date.parse(now) + (performance.now() - heard) * rate;
}

export const people = () => world.state.members.filter((one) => one.id !== world.state.bot.id);
export const me = () => world.state.members.find((one) => one.id === world.person) ?? null;

export function choosePerson(id) {
  world.person = id;
  localStorage.setItem("person", id);
}

export function choosePlace(id) {
  world.place = id;
  if (id) localStorage.setItem("place", id);
}

// What the renderers ask.
export const context = {
  list: (kind) => [...names[kind]],
  name: (kind, id) => names[kind].get(id) ?? "unknown",
  id: (kind, text) => {
    const wanted = text.replace(/^[@#]/, "").toLowerCase();
    return [...names[kind]].find(([id, name]) => id === text || name.replace(/^@/, "").toLowerCase() === wanted)?.[0];
  },
  isMe: (id) => id === world.person,
  nowMs,
};

// Discord's rule: everyone's overwrite, then the roles' together, then the member's own.
function permissions(member, channel) {
  const { guild, roles } = world.state;
  if (member.id === guild.owner_id) return EVERYTHING;
  let bits = 0n;
  for (const role of roles) if (role.id === guild.id || member.roles.includes(role.id)) bits |= BigInt(role.permissions);
  if (bits & ADMINISTRATOR) return EVERYTHING;
  const apply = (overwrites) => {
    for (const one of overwrites) bits &= ~BigInt(one.deny);
    for (const one of overwrites) bits |= BigInt(one.allow);
  };
  apply(channel.permission_overwrites.filter((one) => one.id === guild.id));
  apply(channel.permission_overwrites.filter((one) => member.roles.includes(one.id)));
  apply(channel.permission_overwrites.filter((one) => one.id === member.id));
  return bits;
}

// [{channel, threads, archived}] of the channels the person sees.
export function rooms() {
  const member = me();
  if (!member) return [];
  return world.state.channels.flatMap((channel) => {
    const bits = permissions(member, channel);
    if (!(bits & VIEW)) return [];
    const seen = world.state.threads.filter(
      (one) => one.parent_id === channel.id && (!one.private || one.members.includes(member.id) || bits & MANAGE_THREADS),
    );
    return [{ channel, threads: seen.filter((one) => !one.archived), archived: seen.filter((one) => one.archived) }];
  });
}

export const places = () => rooms().flatMap((one) => [one.channel, ...one.threads, ...one.archived]);
export const thread = (id) => world.state.threads.find((one) => one.id === id) ?? null;
export const here = () => places().find((one) => one.id === world.place) ?? null;

// The commands of a type (1 typed, 3 on a message) that Discord would offer the person here.
export function commands(type) {
  const member = me();
  const place = here();
  if (!member || !place || place.archived) return [];
  const channel = world.state.channels.find((one) => one.id === (place.permission_overwrites ? place.id : place.parent_id));
  const bits = permissions(member, channel);
  if (!(bits & USE_COMMANDS)) return [];
  return world.state.commands.filter((one) => {
    if ((one.type ?? 1) !== type) return false;
    const needed = one.default_member_permissions;
    if (needed === null || needed === undefined || bits & ADMINISTRATOR) return true;
    return BigInt(needed) !== 0n && (bits & BigInt(needed)) === BigInt(needed);
  });
}

// Whether a message notified this person.
export function pings(data, member) {
  return data.sandbox.pinged.some((who) => {
    const [kind, id] = who.split(":");
    return kind === "everyone" || (kind === "user" ? id === member.id : member.roles.includes(id));
  });
}
