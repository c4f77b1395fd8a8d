// Changes a piece of the page into another without taking away what has not changed, so that focus, an open
// menu and the scroll position stay. What must survive a change is in attributes: no listener is kept.

// Set by the page on an element that is on show already; a new drawing does not know of them.
const KEPT = /^data-kept-/;

function attributes(from, to) {
  for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !KEPT.test(name)) from.removeAttribute(name);
}

const alike = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key;

export function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.isEqualNode(to)) return;
  attributes(from, to);
  children(from, [...to.childNodes]);
}

// Keyed children (data-key) are found again wherever they stand; others by their place.
export function children(parent, wanted) {
  const keys = new Set(wanted.map((one) => one.dataset?.key).filter(Boolean));
  const known = new Map();
  for (const one of [...parent.children]) {
    if (!one.dataset.key) continue;
    if (keys.has(one.dataset.key)) known.set(one.dataset.key, one);
    else one.remove();
  }
  let place = parent.firstChild;
  for (const next of wanted) {
    const old = next.dataset?.key ? known.get(next.dataset.key) : place;
    if (old && alike(old, next)) {
      if (old === place) place = place.nextSibling;
      else parent.insertBefore(old, place);
      if (old !== next) morph(old, next);
    } else if (place && !next.dataset?.key && !place.dataset?.key) {
      const gone = place;
      place = place.nextSibling;
      gone.replaceWith(next);
    } else parent.insertBefore(next, place);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}
