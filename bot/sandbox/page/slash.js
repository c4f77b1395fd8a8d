// What is typed after a slash: `/fan lookup fan:alex show:money`.

import { post } from "/page/api.js";

const SUB = 1;
const GROUP = 2;

// Every command a person can type, with subcommands spelled out: {path, description, options}.
export function spelled(commands) {
  const walk = (path, one) => {
    const deeper = (one.options ?? []).filter((option) => option.type === SUB || option.type === GROUP);
    if (deeper.length) return deeper.flatMap((option) => walk(path + " " + option.name, option));
    return [{ path, description: one.description, options: one.options ?? [] }];
  };
  return commands.filter((one) => (one.type ?? 1) === 1).flatMap((one) => walk(one.name, one));
}

// {command, options: {name: text}, focused: name or null, focusedFrom: where its value begins}
export function parse(text, known) {
  const typed = text.slice(1);
  const command = known
    .filter((one) => typed === one.path || typed.startsWith(one.path + " "))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (!command) return null;
  const names = command.options.map((one) => one.name);
  const options = {};
  let focused = null;
  let focusedFrom = text.length;
  const marks = names.length ? [...text.matchAll(new RegExp(`(?:^| )(${names.join("|")}):`, "g"))] : [];
  marks.forEach((mark, index) => {
    const from = mark.index + mark[0].length;
    options[mark[1]] = text.slice(from, marks[index + 1]?.index ?? text.length).trim();
    focused = mark[1];
    focusedFrom = from;
  });
  return { command, options, focused, focusedFrom };
}

// Options as the API takes them: numbers and booleans are JSON, people and places their ids.
export function values(parsed, context, chosen) {
  const made = {};
  for (const [name, text] of Object.entries(parsed.options)) {
    if (text === "") continue;
    const option = parsed.command.options.find((one) => one.name === name);
    const choice = option.choices?.find((one) => one.name === text);
    if (choice) made[name] = choice.value;
    else if (chosen.get(name)?.name === text) made[name] = chosen.get(name).value;
    else if (option.type === 4 || option.type === 10) made[name] = Number(text);
    else if (option.type === 5) made[name] = /^(true|yes|on|1)$/i.test(text);
    else if (option.type === 6) made[name] = context.id("members", text);
    else if (option.type === 7) made[name] = context.id("places", text);
    else if (option.type === 8) made[name] = context.id("roles", text);
    else made[name] = text;
  }
  return made;
}

// Suggestions for what is being typed: [{label, note, text, choice}], `text` replacing the whole input.
export async function suggest(text, known, who, context) {
  const typed = text.slice(1);
  const parsed = parse(text, known);
  if (!parsed) {
    return known.filter((one) => one.path.startsWith(typed)).map((one) => ({ label: "/" + one.path, note: one.description, text: "/" + one.path + " " }));
  }
  const before = text.slice(0, parsed.focusedFrom);
  const option = parsed.command.options.find((one) => one.name === parsed.focused);
  if (!option || text.endsWith(" ")) {
    return parsed.command.options
      .filter((one) => !(one.name in parsed.options))
      .map((one) => ({ label: one.name + (one.required ? "" : " (optional)"), note: one.description, text: text.trimEnd() + " " + one.name + ":" }));
  }
  const value = parsed.options[option.name];
  const offer = (choice) => ({ label: choice.name, note: "", text: before + choice.name + " ", choice: [option.name, choice] });
  const alike = (name) => name.toLowerCase().includes(value.toLowerCase());
  if (option.choices) return option.choices.filter((one) => alike(one.name)).map(offer);
  if (option.type === 5) return ["true", "false"].filter(alike).map((name) => offer({ name, value: name === "true" }));
  const kind = { 6: "members", 7: "places", 8: "roles" }[option.type];
  if (kind) return [...context.names[kind]].filter(([, name]) => alike(name)).map(([id, name]) => offer({ name, value: id }));
  if (!option.autocomplete) return [];
  const body = { ...who, command: parsed.command.path, options: parsed.options, focused: option.name };
  return (await post("autocomplete", body)).choices.map(offer);
}
