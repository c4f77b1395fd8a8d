// The menu of commands on a message, as a menu: arrows move, Enter takes, Escape leaves.

import { node } from "/page/text.js";

let opener = null;
let menu = null;

export function closeMenu(toOpener = false) {
  if (!menu) return;
  menu.remove();
  opener.removeAttribute("aria-expanded");
  if (toOpener) opener.focus();
  menu = opener = null;
}

// `items`: [[label, act]]
export function openMenu(button, label, items) {
  const again = opener === button;
  closeMenu();
  if (again) return;
  opener = button;
  opener.setAttribute("aria-expanded", "true");
  menu = node(
    "div",
    { class: "menu", role: "menu", "aria-label": label },
    ...items.map(([text, act]) =>
      node("button", {
        type: "button", role: "menuitem", tabindex: "-1",
        onclick: () => {
          closeMenu(true);
          act();
        },
      }, text),
    ),
  );
  document.body.append(menu);
  const at = button.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8)) + "px";
  menu.style.top = Math.max(8, at.bottom + menu.offsetHeight > innerHeight ? at.top - menu.offsetHeight : at.bottom) + "px";
  menu.addEventListener("keydown", (event) => {
    const all = [...menu.children];
    const index = all.indexOf(document.activeElement);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      all[next % all.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      closeMenu(true);
    }
  });
  menu.firstElementChild.focus();
}

document.addEventListener("pointerdown", (event) => menu && !menu.contains(event.target) && !opener.contains(event.target) && closeMenu());
