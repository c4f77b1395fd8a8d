// Discord's markdown as nodes. Nothing here ever parses HTML: names and notes are hostile text.

export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A link is followed only where it leads to the web.
function safeLink(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol) ? address : null;
  } catch {
    return null;
  }
}

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function stamp(seconds, style, context) {
  const moment = new Date(seconds * 1000);
  let text = moment.toISOString().slice(0, 16).replace("T", " ") + " UTC";
  if (style === "R") {
    const away = seconds - context.nowMs() / 1000;
    const [unit, size] = UNITS.find(([, s]) => Math.abs(away) >= s) ?? UNITS[5];
    text = new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(away / size), unit);
  } else if (style === "d" || style === "D") text = moment.toISOString().slice(0, 10);
  else if (style === "t" || style === "T") text = moment.toISOString().slice(11, 16) + " UTC";
  return node("span", { class: "stamp", title: moment.toISOString() }, text);
}

const INLINE = [
  [/^\\([^\sA-Za-z0-9])/, (m) => m[1]],
  [/^`([^`\n]+)`/, (m) => node("code", {}, m[1])],
  [/^<t:(-?\d+)(?::([a-zA-Z]))?>/, (m, context) => stamp(Number(m[1]), m[2], context)],
  [/^<@!?(\d+)>/, (m, context) => node("span", { class: "mention" }, "@" + context.name("members", m[1]))],
  [/^<@&(\d+)>/, (m, context) => node("span", { class: "mention" }, "@" + context.name("roles", m[1]))],
  [/^<#(\d+)>/, (m, context) => node("span", { class: "mention" }, "#" + context.name("places", m[1]))],
  [/^<\/([^:>]+):\d+>/, (m) => node("span", { class: "mention" }, "/" + m[1])],
  [/^<a?:(\w+):\d+>/, (m) => `:${m[1]}:`],
  [/^\[([^\]\n]+)\]\(<?([^)\s>]+)>?\)/, (m, context) => link(m[2], inline(m[1], context), m[0])],
  [/^<?(https?:\/\/[^\s<>]+[^\s<>.,;:!?)])>?/, (m) => link(m[1], [m[1]], m[0])],
  [/^\*\*([^]+?)\*\*(?!\*)/, (m, context) => node("strong", {}, ...inline(m[1], context))],
  [/^__([^]+?)__/, (m, context) => node("u", {}, ...inline(m[1], context))],
  [/^~~([^]+?)~~/, (m, context) => node("s", {}, ...inline(m[1], context))],
  [/^\|\|([^]+?)\|\|/, (m, context) => node("span", { class: "spoiler", tabindex: "0" }, ...inline(m[1], context))],
  [/^\*([^\s*][^*]*)\*/, (m, context) => node("em", {}, ...inline(m[1], context))],
  [/^_([^\s_][^_]*)_(?![A-Za-z0-9])/, (m, context) => node("em", {}, ...inline(m[1], context))],
];

function link(address, children, whole) {
  const safe = safeLink(address);
  return safe ? node("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, ...children) : whole;
}

function inline(text, context) {
  const parts = [];
  let plain = "";
  let rest = text;
  while (rest) {
    let hit = null;
    for (const [pattern, make] of INLINE) {
      const match = pattern.exec(rest);
      // An underscore inside a word is part of the word.
      if (match && !(match[0][0] === "_" && /[A-Za-z0-9]$/.test(plain))) {
        hit = [match[0], make(match, context)];
        break;
      }
    }
    if (hit) {
      if (plain) parts.push(plain);
      plain = "";
      parts.push(hit[1]);
      rest = rest.slice(hit[0].length);
    } else {
      plain += rest[0];
      rest = rest.slice(1);
    }
  }
  if (plain) parts.push(plain);
  return parts;
}

const LINES = [
  [/^(#{1,3}) (.+)$/, (m, context) => node("h" + (m[1].length + 1), {}, ...inline(m[2], context))],
  [/^-# (.+)$/, (m, context) => node("small", {}, ...inline(m[1], context), "\n")],
  [/^> ?(.*)$/, (m, context) => node("blockquote", {}, ...inline(m[1], context))],
  [/^( *)[-*] (.+)$/, (m, context) => [m[1] + "• ", ...inline(m[2], context), "\n"]],
];

export function markdown(text, context) {
  const made = node("div", { class: "text" });
  for (const [index, piece] of String(text).split("```").entries()) {
    if (index % 2) {
      made.append(node("pre", {}, piece.replace(/^\w*\n/, "")));
      continue;
    }
    for (const line of piece.split("\n")) {
      const found = LINES.map(([pattern, make]) => [pattern.exec(line), make]).find(([match]) => match);
      if (found) made.append(...[found[1](found[0], context)].flat());
      else made.append(...inline(line, context), "\n");
    }
  }
  const last = made.lastChild;
  if (last?.nodeType === Node.TEXT_NODE && last.data === "\n") last.remove();
  return made;
}
