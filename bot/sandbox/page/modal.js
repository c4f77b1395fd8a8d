// A form the bot opened.

import { node } from "/page/text.js";
import { select } from "/page/render.js";

const TEXT = 4;

function field(part, label, description, context, fields) {
  let input;
  if (part.type === TEXT) {
    input = node(part.style === 2 ? "textarea" : "input", {
      rows: part.style === 2 ? 4 : null,
      placeholder: part.placeholder,
      required: part.required ?? true,
      minlength: part.min_length,
      maxlength: part.max_length,
    });
    input.value = part.value ?? "";
    fields.set(part.custom_id, () => input.value);
  } else {
    let chosen = (part.options ?? []).filter((one) => one.default).map((one) => one.value);
    input = select(part, context, (values) => (chosen = values));
    fields.set(part.custom_id, () => chosen);
  }
  return node("label", {}, label ?? part.label ?? "", description ? node("span", { class: "note" }, " " + description) : null, input);
}

function part(one, context, fields) {
  if (one.type === 18) return [field(one.component, one.label, one.description, context, fields)];
  if (one.type === 10) return [node("p", {}, one.content)];
  if (one.components) return one.components.flatMap((inner) => part(inner, context, fields));
  return [field(one, one.label, one.description, context, fields)];
}

// Resolves to {custom_id: text or [values]}, or null where the person closed it.
export function ask(modal, context) {
  const dialog = document.getElementById("modal");
  const fields = new Map();
  const parts = modal.components.flatMap((one) => part(one, context, fields));
  return new Promise((resolve) => {
    const form = node(
      "form",
      { method: "dialog" },
      node("strong", {}, modal.title),
      ...parts,
      node("div", { class: "row" }, node("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), node("button", { class: "b1" }, "Submit")),
    );
    let answer = null;
    form.addEventListener("submit", () => {
      answer = Object.fromEntries([...fields].map(([name, read]) => [name, read()]));
    });
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    dialog.replaceChildren(form);
    dialog.showModal();
  });
}
