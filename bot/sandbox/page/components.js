// Buttons, menus and layouts of a message. Nothing here listens: what a control does is in its data-act.

import { chatFan, markdown, node, safeLink } from "/page/text.js";

const color = (number) => (number ? "#" + number.toString(16).padStart(6, "0") : null);

export function tinted(element, number) {
  if (color(number)) element.style.borderLeftColor = color(number);
  return element;
}

// Files lie at the sandbox's own address, whichever name of it the page was opened under. null = elsewhere.
export function ownFile(address) {
  try {
    const path = new URL(address).pathname;
    return path.startsWith("/attachments/") ? path : null;
  } catch {
    return null;
  }
}

// A picture from elsewhere is named, never fetched.
export function picture(address, description) {
  const path = ownFile(address);
  const safe = safeLink(address);
  if (path) return node("a", { class: "picture", href: path, target: "_blank", rel: "noopener" }, node("img", { src: path, alt: description || "Picture", loading: "lazy" }));
  return safe ? node("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, description || "Picture elsewhere") : null;
}

export function file(address, name, size) {
  const path = ownFile(address);
  const about = size === undefined || size === null ? "" : ` (${size < 1024 ? size + " bytes" : (size / 1024).toFixed(1) + " KB"})`;
  return path ? node("a", { class: "file", href: path, download: name }, "⬇ " + name + about) : node("span", { class: "file" }, name + about);
}

const labelOf = (part) => [part.emoji?.name, part.label].filter(Boolean).join(" ") || "Button";

// `held`: the custom_id that is being pressed on this message; null = none.
function button(part, held) {
  const label = labelOf(part);
  if (part.style === 5) {
    const fan = chatFan(part.url, part.label ?? "");
    if (fan) return node("button", { type: "button", class: "b b5", disabled: part.disabled, "data-act": "contact", "data-fan": fan, "aria-haspopup": "dialog" }, label);
    const safe = safeLink(part.url);
    return safe && !part.disabled
      ? node("a", { class: "b b5", href: safe, target: "_blank", rel: "noopener noreferrer" }, label + " ↗")
      : node("button", { type: "button", class: "b b5", disabled: true }, label);
  }
  const busy = held === part.custom_id;
  return node(
    "button",
    {
      type: "button",
      class: "b b" + part.style + (busy ? " busy" : ""),
      disabled: part.disabled,
      "aria-disabled": held && !part.disabled ? "true" : null,
      "aria-busy": busy ? "true" : null,
      "data-act": "press",
      "data-custom-id": part.custom_id,
    },
    label,
    busy ? node("span", { class: "hidden" }, " (being sent)") : null,
  );
}

// What can be chosen, by type: 3 the menu's own options, 5 people, 6 roles, 7 both, 8 channels. [value, label, note, chosen]
export function choices(part, context) {
  if (part.options) return part.options.map((one) => [one.value, [one.emoji?.name, one.label].filter(Boolean).join(" "), one.description, one.default]);
  const kinds = { 5: ["members"], 6: ["roles"], 7: ["members", "roles"], 8: ["places"] }[part.type] ?? [];
  const chosen = new Set((part.default_values ?? []).map((one) => one.id));
  const sign = { members: "@", roles: "@", places: "#" };
  return kinds.flatMap((kind) => context.list(kind).map(([id, name]) => [id, sign[kind] + name.replace(/^@/, ""), null, chosen.has(id)]));
}

export function select(part, context, attributes = {}) {
  const many = (part.max_values ?? 1) > 1;
  const offered = choices(part, context);
  return node(
    "select",
    { multiple: many, size: many ? Math.min(6, Math.max(2, offered.length)) : null, disabled: part.disabled, "aria-label": part.placeholder ?? "Choose", ...attributes },
    many ? null : node("option", { value: "" }, part.placeholder ?? "Choose…"),
    ...offered.map(([value, label, note, chosen]) => node("option", { value, selected: chosen }, note ? `${label} — ${note}` : label)),
  );
}

function menu(part, context, held) {
  const busy = held === part.custom_id;
  const made = select(part, context, {
    class: busy ? "busy" : null,
    "aria-disabled": held && !part.disabled ? "true" : null,
    "aria-busy": busy ? "true" : null,
    "data-act": "choose",
    "data-custom-id": part.custom_id,
  });
  if (!made.multiple) return made;
  // Several: the choice is made piece by piece, so it is sent by a button.
  const send = { type: "button", class: "b b2", disabled: part.disabled, "aria-disabled": held ? "true" : null, "data-act": "send-choice" };
  // A list of several shows no placeholder of its own.
  return node("div", { class: "many" }, node("div", { class: "note" }, part.placeholder ?? "Choose"), made, node("button", send, "Choose these"));
}

export function component(part, context, held) {
  const inner = (parts) => (parts ?? []).map((one) => component(one, context, held)).filter(Boolean);
  switch (part.type) {
    case 1:
      return node("div", { class: "row" }, ...inner(part.components));
    case 2:
      return button(part, held);
    case 3: case 5: case 6: case 7: case 8:
      return menu(part, context, held);
    case 9:
      return node("div", { class: "section" }, node("div", {}, ...inner(part.components)), part.accessory ? component(part.accessory, context, held) : null);
    case 10:
      return markdown(part.content, context);
    case 11:
      return node("div", { class: "thumbnail" }, picture(part.media.url, part.description));
    case 12:
      return node("div", { class: "gallery" }, ...part.items.map((one) => picture(one.media.url, one.description)));
    case 13:
      return file(part.file.url, part.name ?? part.file.url.split("/").at(-1), part.size);
    case 14:
      return part.divider === false ? node("div", { class: "space" }) : node("hr");
    case 17:
      return tinted(node("div", { class: "container" }, ...inner(part.components)), part.accent_color);
    default:
      return node("div", { class: "note" }, "This part cannot be shown here.");
  }
}
