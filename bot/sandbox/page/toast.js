// Short notices. An error stays long enough to be read twice; Escape or its own button takes it away.

import { node } from "/page/text.js";

const LEAST_MS = 8000;
const PER_LETTER_MS = 120;
const MOST = 4;
const box = document.getElementById("toasts");

export function toast(text, kind = "error") {
  if ([...box.children].some((one) => one.dataset.text === text)) return;
  const made = node(
    "div",
    { class: "toast " + kind, role: kind === "error" ? "alert" : "status", "data-text": text },
    node("span", { class: "toast-sign", "aria-hidden": "true" }, kind === "error" ? "!" : "✓"),
    node("span", { class: "toast-text" }, text),
    node("button", { type: "button", "aria-label": "Dismiss this notice" }, "✕"),
  );
  let timer = 0;
  const hold = () => clearTimeout(timer);
  const wait = () => {
    hold();
    timer = setTimeout(() => made.remove(), LEAST_MS + PER_LETTER_MS * text.length);
  };
  made.querySelector("button").addEventListener("click", () => made.remove());
  for (const name of ["mouseenter", "focusin"]) made.addEventListener(name, hold);
  for (const name of ["mouseleave", "focusout"]) made.addEventListener(name, wait);
  box.append(made);
  while (box.childElementCount > MOST) box.firstElementChild.remove();
  settle();
  wait();
}

// Puts the notices where they can be seen and reached: into an open dialog, as nothing outside it can be used.
export function settle() {
  const home = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (box.parentElement !== home) home.append(box);
  if (!box.matches(":popover-open")) box.showPopover();
}

// Whether there was one to take away.
export function dismissNewest() {
  const last = box.lastElementChild;
  last?.remove();
  return Boolean(last);
}
