// Dialogs: a form the bot opened, and writing to a fan on the platform.

import { contact } from "/page/act.js";
import { select } from "/page/components.js";
import { markdown, node } from "/page/text.js";
import { settle, toast } from "/page/toast.js";
import { context } from "/page/world.js";

const TEXT_INPUT = 4;
const TEXT_DISPLAY = 10;
const LABEL = 18;
const FILE_UPLOAD = 19;
const RADIO_GROUP = 21;
const CHECKBOX_GROUP = 22;
const CHECKBOX = 23;
const PARAGRAPH = 2;

let numbered = 0;

// A field: {name, element, input, read() -> value, problem() -> text or null}

function textField(part) {
  const isLong = part.style === PARAGRAPH;
  const input = node(isLong ? "textarea" : "input", { rows: isLong ? 5 : null, placeholder: part.placeholder, maxlength: part.max_length ?? 4000 });
  input.value = part.value ?? "";
  const high = part.max_length ?? 4000;
  const low = part.min_length ?? 0;
  const counter = node("small", { class: "counter" });
  const count = () => (counter.textContent = `${input.value.length} of ${low ? `${low} to ` : "at most "}${high} characters`);
  input.addEventListener("input", count);
  count();
  return {
    element: node("div", {}, input, counter),
    input,
    read: () => input.value,
    problem: () => {
      if (!input.value) return part.required === false ? null : "This is needed.";
      return input.value.length < low ? `Write at least ${low} characters.` : null;
    },
  };
}

function menuField(part) {
  const input = select(part, context, { "aria-label": null });
  const read = () => [...input.selectedOptions].map((one) => one.value).filter(Boolean);
  return { element: input, input, read, problem: () => countProblem(part, read()) };
}

function countProblem(part, chosen) {
  if (!chosen.length) return part.required === false ? null : "Choose something.";
  const [low, high] = [part.min_values ?? 1, part.max_values ?? Math.max(1, part.options?.length ?? 1)];
  return chosen.length < low || chosen.length > high ? `Choose ${low} to ${high}.` : null;
}

function boxesField(part) {
  const kind = part.type === RADIO_GROUP ? "radio" : "checkbox";
  const name = "field-" + ++numbered;
  const inputs = part.options.map((one) => {
    const input = node("input", { type: kind, name, value: one.value });
    input.checked = Boolean(one.default);
    return [input, node("label", { class: "box" }, input, node("span", {}, one.label, one.description ? node("small", {}, " " + one.description) : null))];
  });
  const chosen = () => inputs.filter(([input]) => input.checked).map(([input]) => input.value);
  const group = { ...part, max_values: kind === "radio" ? 1 : (part.max_values ?? part.options.length) };
  return { element: node("div", { role: kind === "radio" ? "radiogroup" : "group" }, ...inputs.map(([, label]) => label)), input: inputs[0][0], read: chosen, problem: () => countProblem(group, chosen()) };
}

function checkField(part) {
  const input = node("input", { type: "checkbox" });
  input.checked = Boolean(part.default);
  return { element: input, input, read: () => input.checked, problem: () => null };
}

function field(part, label, description) {
  if (part.type === FILE_UPLOAD) return { element: node("p", { class: "note" }, `${label}: files cannot be sent from this page.`) };
  const make = { [TEXT_INPUT]: textField, [RADIO_GROUP]: boxesField, [CHECKBOX_GROUP]: boxesField, [CHECKBOX]: checkField }[part.type] ?? menuField;
  const made = make(part);
  const id = "field-" + ++numbered;
  const needed = part.required !== false && part.type !== CHECKBOX;
  const error = node("span", { class: "field-error", id: id + "-error" });
  made.input.id = id;
  made.input.setAttribute("aria-describedby", `${id}-about ${id}-error`);
  if (needed) made.input.setAttribute("aria-required", "true");
  const own = part.type === RADIO_GROUP || part.type === CHECKBOX_GROUP ? {} : { for: id };
  const element = node(
    "div",
    { class: "field" },
    node("label", own, label ?? "", node("small", {}, needed ? " required" : " optional")),
    node("small", { class: "note", id: id + "-about" }, description ?? ""),
    made.element,
    error,
  );
  const say = (text) => {
    error.textContent = text ?? "";
    made.input.setAttribute("aria-invalid", String(Boolean(text)));
  };
  return { ...made, name: part.custom_id, element, say };
}

function parts(one) {
  if (one.type === LABEL) return [field(one.component, one.label, one.description)];
  if (one.type === TEXT_DISPLAY) return [{ element: markdown(one.content, context) }];
  if (one.components) return one.components.flatMap(parts);
  return [field(one, one.label, one.description)];
}

// A dialog that asks once before what was written is thrown away. `send(form)` resolves to true when it may close.
function show(title, content, buttons, send) {
  const id = "dialog-" + ++numbered;
  const whole = node("p", { class: "field-error", role: "alert" });
  const submit = node("button", { class: "b b1" }, buttons.send);
  const form = node(
    "form",
    { method: "dialog", novalidate: true },
    node("h2", { id }, title),
    ...content,
    whole,
    node("div", { class: "row end" }, node("button", { type: "button", class: "b b2", "data-close": true }, "Cancel"), submit),
  );
  const dialog = node("dialog", { "aria-labelledby": id }, form);
  let isChanged = false;
  let wasAsked = false;
  let isBusy = false;
  const leave = () => {
    if (isBusy) return;
    if (isChanged && !wasAsked) {
      wasAsked = true;
      whole.textContent = "What you wrote is not sent. Press again to throw it away.";
    } else dialog.close();
  };
  form.addEventListener("input", () => (isChanged = true));
  form.querySelector("[data-close]").addEventListener("click", leave);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    whole.textContent = "";
    submit.classList.add("busy");
    submit.setAttribute("aria-busy", "true");
    const mayClose = await send(whole);
    isBusy = false;
    submit.classList.remove("busy");
    submit.removeAttribute("aria-busy");
    if (mayClose) dialog.close();
  });
  dialog.addEventListener("close", () => {
    settle();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("input, textarea, select") ?? submit).focus();
}

// `send(fields)` resolves to null, or to {text, field} of what is wrong: then the form stays as it is.
export function ask(modal, send) {
  const made = modal.components.flatMap(parts);
  const fields = made.filter((one) => one.name);
  show(modal.title, made.map((one) => one.element), { send: "Submit" }, async (whole) => {
    let first = null;
    for (const one of fields) {
      const text = one.problem();
      one.say(text);
      first ??= text ? one : null;
    }
    if (first) {
      first.input.focus();
      return false;
    }
    const problem = await send(Object.fromEntries(fields.map((one) => [one.name, one.read()])));
    if (!problem) return true;
    const blamed = fields.find((one) => one.name === problem.field);
    if (blamed) {
      blamed.say(problem.text);
      blamed.input.focus();
    } else whole.textContent = problem.text;
    return false;
  });
}

// `about`: the line of the message the link is on, so that one sees who is meant.
export function chat(fan, name, about) {
  const text = node("textarea", { id: "chat-text", rows: 3, placeholder: "Hey, how have you been?" });
  const content = [
    about ? node("blockquote", { class: "note" }, about) : null,
    node("p", { class: "note" }, "The creator platform does not exist here. The sandbox passes on that you wrote to this fan, not what you wrote."),
    node("div", { class: "field" }, node("label", { for: "chat-text" }, "Your message", node("small", {}, " optional")), text),
  ].filter(Boolean);
  show(`Chat with ${name ?? "fan " + fan} on the platform`, content, { send: "Send to the fan" }, async () => {
    const problem = await contact(fan);
    toast(problem ?? `Your message is on its way to ${name ?? "fan " + fan}.`, problem ? "error" : "info");
    return !problem;
  });
}
