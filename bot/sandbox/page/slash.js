// The language typed after a slash: `/fan lookup fan:alex show:true`. Nothing here touches the page.

const SUB = 1;
const GROUP = 2;
const INTEGER = 4, BOOLEAN = 5, USER = 6, CHANNEL = 7, ROLE = 8, MENTIONABLE = 9, NUMBER = 10, ATTACHMENT = 11;
const KINDS = { [USER]: ["members"], [CHANNEL]: ["places"], [ROLE]: ["roles"], [MENTIONABLE]: ["members", "roles"] };
const YES = /^(true|yes|y|on|1)$/i;
const NO = /^(false|no|n|off|0)$/i;

// What cannot be sent as it stands, and which option is to blame.
export class Unfit extends Error {
  constructor(option, message) {
    super(message);
    this.option = option;
  }
}

// Every command a person can type, with subcommands spelled out: {path, description, options}.
export function spelled(commands) {
  const walk = (path, one) => {
    const deeper = (one.options ?? []).filter((option) => option.type === SUB || option.type === GROUP);
    if (deeper.length) return deeper.flatMap((option) => walk(path + " " + option.name, option));
    return [{ path, description: one.description, options: one.options ?? [] }];
  };
  return commands.flatMap((one) => walk(one.name, one));
}

// What an input shows of a name that may hold anything.
export const flat = (text) => text.replace(/\s+/g, " ").trim();

// {command, stray, parts: [{option, from, to, text}]}, or null where no command is complete. `chosen`: option ->
// {label, value} of what was picked from a list; what such a label spells is never read as another option.
export function parse(text, known, chosen) {
  const typed = text.slice(1);
  const command = known
    .filter((one) => typed === one.path || typed.startsWith(one.path + " "))
    .sort((one, other) => other.path.length - one.path.length)[0];
  if (!command) return null;
  const parts = [];
  let at = command.path.length + 1;
  const strayFrom = at;
  for (;;) {
    const left = command.options.filter((one) => !parts.some((part) => part.option === one));
    const names = left.map((one) => one.name).sort((one, other) => other.length - one.length);
    const mark = names.length ? new RegExp(`\\s(${names.join("|")}):`, "g") : null;
    if (mark) mark.lastIndex = at;
    const hit = mark?.exec(text);
    const last = parts.at(-1);
    if (last) last.to = hit ? hit.index : text.length;
    if (!hit) break;
    const option = left.find((one) => one.name === hit[1]);
    const from = hit.index + hit[0].length;
    parts.push({ option, start: hit.index + 1, from, to: text.length });
    const label = chosen.get(option.name)?.label;
    at = label && text.startsWith(label, from) ? from + label.length : from;
  }
  for (const part of parts) part.text = text.slice(part.from, part.to).trim();
  return { command, parts, stray: text.slice(strayFrom, parts[0]?.start ?? text.length).trim() };
}

// Which option is being filled with the caret there; null = none.
export const focus = (parsed, caret) => parsed.parts.find((one) => caret >= one.from && caret <= one.to) ?? null;

function byName(option, text, context) {
  for (const kind of KINDS[option.type]) {
    const id = context.id(kind, text);
    if (id) return id;
  }
  throw new Unfit(option.name, `${option.name}: nothing here is called “${text}”. Choose from the list.`);
}

function number(option, text) {
  const value = Number(text.replace(/,/g, ""));
  const kind = option.type === INTEGER ? "a whole number" : "a number";
  if (!Number.isFinite(value) || (option.type === INTEGER && !Number.isInteger(value))) throw new Unfit(option.name, `${option.name} is ${kind}, not “${text}”.`);
  const [low, high] = [option.min_value ?? -Infinity, option.max_value ?? Infinity];
  if (value < low || value > high) throw new Unfit(option.name, `${option.name} is ${kind}${low > -Infinity ? ` from ${low}` : ""}${high < Infinity ? ` up to ${high}` : ""}.`);
  return value;
}

function string(option, text) {
  const [low, high] = [option.min_length ?? 0, option.max_length ?? 6000];
  if (text.length < low || text.length > high) throw new Unfit(option.name, `${option.name} is ${low} to ${high} characters long, not ${text.length}.`);
  return text;
}

function value({ option, text }, context, chosen) {
  const picked = chosen.get(option.name);
  if (picked?.label === text) return picked.value;
  if (option.choices?.length) {
    const found = option.choices.find((one) => flat(one.name).toLowerCase() === text.toLowerCase());
    if (!found) throw new Unfit(option.name, `${option.name}: choose ${option.choices.slice(0, 6).map((one) => one.name).join(", ")}.`);
    return found.value;
  }
  if (KINDS[option.type]) return byName(option, text, context);
  if (option.type === BOOLEAN) {
    if (!YES.test(text) && !NO.test(text)) throw new Unfit(option.name, `${option.name} is true or false, not “${text}”.`);
    return YES.test(text);
  }
  if (option.type === INTEGER || option.type === NUMBER) return number(option, text);
  if (option.type === ATTACHMENT) throw new Unfit(option.name, `${option.name}: files cannot be sent from this page.`);
  return string(option, text);
}

// The options as the API takes them. Throws Unfit, before anything is sent.
export function values(parsed, context, chosen) {
  if (parsed.stray) throw new Unfit(null, `Say what “${parsed.stray}” is for: ${parsed.command.options.map((one) => one.name + ":").join(" ") || "this command has no options"}`);
  const made = {};
  for (const part of parsed.parts) if (part.text) made[part.option.name] = value(part, context, chosen);
  const missing = parsed.command.options.find((one) => one.required && !(one.name in made));
  if (missing) throw new Unfit(missing.name, `${missing.name} is missing: ${missing.description}`);
  return made;
}

// The same for what is typed so far: what cannot be read yet is left out.
export function readable(parsed, context, chosen) {
  const made = {};
  for (const part of parsed.parts) {
    if (!part.text) continue;
    try {
      made[part.option.name] = value(part, context, chosen);
    } catch (problem) {
      if (!(problem instanceof Unfit)) throw problem;
    }
  }
  return made;
}

// Everything there is to choose from without asking the bot: [{label, note, value}]; null = nothing.
export function offered(option, context) {
  if (option.choices?.length) return option.choices.map((one) => ({ label: flat(one.name), note: "", value: one.value }));
  if (option.type === BOOLEAN) return [true, false].map((one) => ({ label: String(one), note: "", value: one }));
  if (!KINDS[option.type]) return null;
  const note = { members: "person", roles: "role", places: "channel" };
  const sign = { members: "@", roles: "@", places: "#" };
  return KINDS[option.type].flatMap((kind) =>
    context.list(kind).map(([id, name]) => ({ label: flat(sign[kind] + name.replace(/^@/, "")), note: note[kind], value: id })),
  );
}

// The text with a value put into an option and the next required one begun, and where the caret then stands.
export function filled(text, parsed, part, label) {
  const after = text.slice(part.to).trim();
  const missing = parsed.command.options.find((one) => one.required && one !== part.option && !parsed.parts.some((other) => other.option === one));
  const before = text.slice(0, part.from) + label + " ";
  if (after) return [before + after, before.length];
  const whole = before + (missing ? missing.name + ":" : "");
  return [whole, whole.length];
}

// The text with an option begun.
export function begun(text, name) {
  const whole = text.trimEnd() + " " + name + ":";
  return [whole, whole.length];
}
