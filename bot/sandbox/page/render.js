// Messages as a person sees them: embeds, buttons, selects, Components V2.

import { markdown, node } from "/page/text.js";

const color = (number) => (number ? "#" + number.toString(16).padStart(6, "0") : null);

function tinted(element, number) {
  if (color(number)) element.style.borderLeftColor = color(number);
  return element;
}

function embed(data, context) {
  const text = (value, tag = "div", name = "") => value && node(tag, { class: name }, markdown(value, context));
  const made = node(
    "div",
    { class: "embed" },
    data.author && node("div", { class: "note" }, data.author.name),
    text(data.title, "div", "title"),
    text(data.description),
    data.fields?.length
      ? node(
          "div",
          { class: "fields" },
          ...data.fields.map((one) =>
            node("div", { class: one.inline ? "field inline" : "field" }, node("b", {}, one.name), markdown(one.value, context)),
          ),
        )
      : null,
    data.image && node("img", { src: data.image.url, alt: data.image.description ?? "" }),
    (data.footer || data.timestamp) &&
      node("div", { class: "foot" }, [data.footer?.text, data.timestamp?.slice(0, 16).replace("T", " ")].filter(Boolean).join(" · ")),
  );
  return tinted(made, data.color);
}

function button(part, act) {
  const label = [part.emoji?.name, part.label].filter(Boolean).join(" ") || "button";
  if (part.style === 5) return node("a", { class: "b5", href: part.url, target: "_blank", rel: "noopener noreferrer" }, label + " ↗");
  return node("button", { type: "button", class: "b" + part.style, disabled: part.disabled, onclick: () => act(part.custom_id, []) }, label);
}

// What can be chosen in a select, by its type: 3 its own options, 5 people, 6 roles, 7 both, 8 channels.
export function choices(part, context) {
  if (part.type === 3) return part.options.map((one) => [one.value, one.label, one.default]);
  const kinds = { 5: ["members"], 6: ["roles"], 7: ["members", "roles"], 8: ["places"] }[part.type] ?? [];
  return kinds.flatMap((kind) => [...context.names[kind]].map(([id, name]) => [id, name, false]));
}

export function select(part, context, onchoice) {
  const many = (part.max_values ?? 1) > 1;
  const made = node(
    "select",
    { multiple: many, disabled: part.disabled, "aria-label": part.placeholder ?? "choose" },
    many ? null : node("option", { value: "" }, part.placeholder ?? "Choose…"),
    ...choices(part, context).map(([value, label, chosen]) => node("option", { value, selected: chosen }, label)),
  );
  made.addEventListener("change", () => onchoice([...made.selectedOptions].map((one) => one.value).filter(Boolean)));
  return made;
}

function component(part, context, act) {
  const inner = (parts) => (parts ?? []).map((one) => component(one, context, act)).filter(Boolean);
  switch (part.type) {
    case 1:
      return node("div", { class: "row" }, ...inner(part.components));
    case 2:
      return button(part, act);
    case 3: case 5: case 6: case 7: case 8:
      return select(part, context, (values) => values.length && act(part.custom_id, values));
    case 9:
      return node("div", { class: "section" }, node("div", {}, ...inner(part.components)), part.accessory ? component(part.accessory, context, act) : null);
    case 10:
      return markdown(part.content, context);
    case 11:
      return node("img", { src: part.media.url, alt: part.description ?? "" });
    case 12:
      return node("div", { class: "gallery" }, ...part.items.map((one) => node("img", { src: one.media.url, alt: one.description ?? "" })));
    case 13:
      return node("a", { href: part.file.url, target: "_blank", rel: "noopener" }, part.name ?? "file");
    case 14:
      return node("hr");
    case 17:
      return tinted(node("div", { class: "container" }, ...inner(part.components)), part.accent_color);
    default:
      return null;
  }
}

// `act(custom_id, values)` presses a button or chooses in a select of this message.
export function message(data, context, act) {
  const shown = new Date(data.timestamp);
  const notes = [
    data.sandbox.edits ? "edited" : null,
    data.sandbox.silent ? "silent" : null,
    data.sandbox.pinged.length ? "pinged " + data.sandbox.pinged.map((who) => "@" + context.pinged(who)).join(", ") : null,
  ].filter(Boolean);
  return node(
    "li",
    { class: data.sandbox.ephemeral_for ? "private" : "", "data-message": data.id },
    node(
      "div",
      { class: "head" },
      node("span", { class: "name" }, data.author.global_name ?? data.author.username),
      data.author.bot ? node("span", { class: "bot-tag" }, "APP") : null,
      node("time", { datetime: data.timestamp }, shown.toLocaleTimeString()),
      notes.length ? node("span", { class: "note" }, notes.join(" · ")) : null,
    ),
    data.interaction_metadata?.name ? node("div", { class: "note" }, "/" + data.interaction_metadata.name) : null,
    data.content ? markdown(data.content, context) : null,
    ...data.embeds.map((one) => embed(one, context)),
    ...data.components.map((one) => component(one, context, act)).filter(Boolean),
    ...data.attachments.map((one) => node("div", {}, node("a", { href: one.url, target: "_blank", rel: "noopener" }, one.filename))),
    data.sandbox.ephemeral_for ? node("div", { class: "note" }, "Only you can see this") : null,
  );
}
