// One message as a person sees it.

import { component, file, ownFile, picture, tinted } from "/page/components.js";
import { find } from "/page/store.js";
import { markdown, node } from "/page/text.js";
import { me, pings, places, thread } from "/page/world.js";

const LOADING = 1 << 7;
const HAS_THREAD = 1 << 5;
const THREAD_CREATED = 18;
const QUOTE = 120;

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
            node("div", { class: one.inline ? "field inline" : "field" }, node("b", {}, markdown(one.name, context)), markdown(one.value, context)),
          ),
        )
      : null,
    data.image && picture(data.image.url, data.image.description),
    data.thumbnail && node("div", { class: "thumbnail" }, picture(data.thumbnail.url, data.thumbnail.description)),
    (data.footer || data.timestamp) &&
      node("div", { class: "foot" }, [data.footer?.text, data.timestamp?.slice(0, 16).replace("T", " ")].filter(Boolean).join(" · ")),
  );
  return tinted(made, data.color);
}

const authorName = (data) => data.author.global_name ?? data.author.username;

// The beginning of what a message says, as plain text.
export function gist(data, context) {
  const layout = (parts) => (parts ?? []).flatMap((one) => [one.content, ...layout(one.components)]).filter(Boolean);
  const text = data.content || data.embeds[0]?.title || data.embeds[0]?.description || layout(data.components)[0] || data.attachments[0]?.filename || "";
  const plain = markdown(text, context).textContent.replace(/\s+/g, " ").trim();
  return plain.length > QUOTE ? plain.slice(0, QUOTE) + "…" : plain;
}

function answered(data, context) {
  const id = data.type === THREAD_CREATED ? null : data.message_reference?.message_id;
  if (!id) return null;
  const known = find(data.channel_id, id);
  const text = known && !known.sandbox.deleted ? `${authorName(known)}: ${gist(known, context)}` : "a message that is not here";
  return node("div", { class: "note answered" }, "↪ " + text);
}

function threadRow(data) {
  const id = data.type === THREAD_CREATED ? data.message_reference?.channel_id : data.flags & HAS_THREAD ? data.id : null;
  const found = id && thread(id);
  if (!found || !places().some((one) => one.id === id)) return null;
  const about = found.archived ? "archived thread" : "thread";
  return node("div", { class: "row" }, node("button", { type: "button", class: "thread-row", "data-act": "go", "data-place": id }, `🧵 ${found.name} `, node("small", {}, about)));
}

function attachment(one) {
  const isPicture = one.content_type?.startsWith("image/") && ownFile(one.url);
  return node("div", { class: "attachment" }, isPicture ? picture(one.url, one.description ?? one.filename) : null, file(one.url, one.filename, one.size));
}

// Whether a layout shows the file somewhere already.
const isPlaced = (one, components) => JSON.stringify(components).includes(JSON.stringify(one.url));

// Whom it notified, the reader first, in words.
function pinged(data, context) {
  if (!data.sandbox.pinged.length) return null;
  const member = me();
  const name = (who) => (who === "everyone" ? "everyone" : context.name(who.startsWith("role:") ? "roles" : "members", who.split(":")[1]));
  const isMine = member && pings(data, member);
  return node("span", { class: isMine ? "note for-me" : "note" }, (isMine ? "🔔 pings you · " : "") + "pinged " + data.sandbox.pinged.map((who) => "@" + name(who)).join(", "));
}

function tools(data, hasApps) {
  const isPrivate = Boolean(data.sandbox.ephemeral_for);
  return node(
    "div",
    { class: "tools" },
    isPrivate ? null : node("button", { type: "button", "data-act": "reply", "aria-label": `Reply to ${authorName(data)}` }, "↩ Reply"),
    hasApps ? node("button", { type: "button", "data-act": "apps", "aria-haspopup": "menu", "aria-label": `Apps for this message of ${authorName(data)}` }, "⋯ Apps") : null,
  );
}

function body(data, context, held) {
  if (data.flags & LOADING) return [node("div", { class: "thinking" }, node("span", { class: "spinner", "aria-hidden": "true" }), `${authorName(data)} is thinking…`)];
  if (data.type === THREAD_CREATED) return [node("div", { class: "text" }, `started a thread: ${data.content}`)];
  return [
    data.content ? markdown(data.content, context) : null,
    ...data.embeds.map((one) => embed(one, context)),
    ...data.attachments.filter((one) => !isPlaced(one, data.components)).map(attachment),
    ...data.components.map((one) => component(one, context, held)).filter(Boolean),
  ];
}

// `held`: the custom_id being pressed on it, or null. `hasApps`: whether there is a command on messages.
export function message(data, context, held, hasApps) {
  const made = new Date(data.timestamp);
  const isPrivate = Boolean(data.sandbox.ephemeral_for);
  const name = data.interaction_metadata?.name;
  const member = me();
  return node(
    "li",
    {
      class: [isPrivate ? "private" : "", member && pings(data, member) ? "mine" : ""].join(" ").trim(),
      "data-key": data.id,
      "data-message": data.id,
      "aria-busy": held ? "true" : null,
    },
    answered(data, context),
    node(
      "div",
      { class: "head" },
      node("span", { class: "name" }, authorName(data)),
      data.author.bot ? node("span", { class: "bot-tag" }, "APP") : null,
      node("time", { class: "made", datetime: data.timestamp, title: "Machine time " + made.toLocaleString() }, made.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
      data.sandbox.edits ? node("span", { class: "note" }, "edited") : null,
      data.sandbox.silent ? node("span", { class: "note" }, "silent") : null,
      pinged(data, context),
      data.flags & LOADING ? null : tools(data, hasApps),
    ),
    name ? node("div", { class: "note" }, `${data.interaction_metadata.user?.global_name ?? "Somebody"} used ${data.interaction_metadata.command_type === 3 ? "" : "/"}${name}`) : null,
    ...body(data, context, held),
    threadRow(data),
    isPrivate
      ? node(
          "div",
          { class: "only" },
          node("span", {}, "👁 Only you can see this"),
          data.flags & LOADING ? null : node("button", { type: "button", class: "link", "data-act": "dismiss", "aria-label": "Dismiss this private answer" }, "Dismiss"),
        )
      : null,
  );
}
