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

// A link is followed only where it leads to the web; null = nowhere.
export function safeLink(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol) ? address : null;
  } catch {
    return null;
  }
}

// The platform's id of the fan that an [Open chat] link leads to; null for any other link. The platform does not
// exist here, so the page opens a dialog of its own instead.
export function chatFan(address, label) {
  if (!/(^|\s)open chat$/i.test(label.trim())) return null;
  const safe = safeLink(address);
  return safe && new URL(safe).pathname.split("/").filter(Boolean).at(-1);
}

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function told(seconds, style, nowMs) {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.getTime())) return "a time out of range";
  let text = moment.toISOString().slice(0, 16).replace("T", " ") + " UTC";
  if (style === "R") {
    const away = seconds - nowMs / 1000;
    const [unit, size] = UNITS.find(([, s]) => Math.abs(away) >= s) ?? UNITS[5];
    text = new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(away / size), unit);
  } else if (style === "d" || style === "D") text = moment.toISOString().slice(0, 10);
  else if (style === "t" || style === "T") text = moment.toISOString().slice(11, 16) + " UTC";
  return text;
}

function stamp(seconds, style, context) {
  const full = told(seconds, "f", 0);
  return node("time", { class: "stamp", title: full, "data-at": seconds, "data-style": style ?? "f" }, told(seconds, style, context.nowMs()));
}

// Lets the relative times under a node count on.
export function restamp(root, nowMs) {
  for (const one of root.querySelectorAll('.stamp[data-style="R"]')) {
    const text = told(Number(one.dataset.at), "R", nowMs);
    if (one.textContent !== text) one.textContent = text;
  }
}

const INLINE = [
  [/^\\([^\sA-Za-z0-9])/, (m) => m[1]],
  [/^`([^`\n]+)`/, (m) => node("code", {}, m[1])],
  [/^<t:(-?\d+)(?::([a-zA-Z]))?>/, (m, context) => stamp(Number(m[1]), m[2], context)],
  [/^<@!?(\d+)>/, (m, context) => node("span", { class: context.isMe?.(m[1]) ? "mention me" : "mention" }, "@" + context.name("members", m[1]))],
  [/^<@&(\d+)>/, (m, context) => node("span", { class: "mention" }, "@" + context.name("roles", m[1]))],
  [/^<#(\d+)>/, (m, context) => node("span", { class: "mention" }, "#" + context.name("places", m[1]))],
  [/^<\/([^:>]+):\d+>/, (m) => node("span", { class: "mention" }, "/" + m[1])],
  [/^<a?:(\w+):\d+>/, (m) => `:${m[1]}:`],
  [/^\[([^\]\n]+)\]\(<?([^)\s>]+)>?\)/, (m, context) => link(m[2], inline(m[1], context), m[0])],
  [/^<?(https?:\/\/[^\s<>]+[^\s<>.,;:!?)])>?/, (m) => link(m[1], [m[1]], m[0])],
  [/^\*\*([^]+?)\*\*(?!\*)/, (m, context) => node("strong", {}, ...inline(m[1], context))],
  [/^__([^]+?)__/, (m, context) => node("u", {}, ...inline(m[1], context))],
  [/^~~([^]+?)~~/, (m, context) => node("s", {}, ...inline(m[1], context))],
  [/^\|\|([^]+?)\|\|/, (m, context) => node("button", { type: "button", class: "spoiler", "data-act": "spoiler", "aria-label": "Hidden text, press to show" }, ...inline(m[1], context))],
  [/^\*([^\s*][^*]*)\*/, (m, context) => node("em", {}, ...inline(m[1], context))],
  [/^_([^\s_][^_]*)_(?![A-Za-z0-9])/, (m, context) => node("em", {}, ...inline(m[1], context))],
];

// Up to the next character that can begin something.
const PLAIN = /^[^\\`<[*_~|h]*/;

function link(address, children, whole) {
  const safe = safeLink(address);
  const label = children.map((child) => child.textContent ?? child).join("");
  const fan = chatFan(address, label);
  if (fan) return node("button", { type: "button", class: "link", "data-act": "contact", "data-fan": fan, "aria-haspopup": "dialog" }, ...children);
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
      const run = rest[0] + PLAIN.exec(rest.slice(1))[0];
      plain += run;
      rest = rest.slice(run.length);
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
