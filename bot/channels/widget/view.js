// How things look: DOM made of data. Whatever comes in is text, never markup, and no style attribute is ever written.

import { fill } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: "M4 5h16v11H9l-5 4z",
  close: "M5 9l7 7 7-7",
  menu: "M5 12h.01M12 12h.01M19 12h.01",
  pin: "M12 21c4-5 7-8 7-11a7 7 0 0 0-14 0c0 3 3 6 7 11zM12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  thumb: "M7 11v9H4v-9zl4-8c2 0 3 1 3 3v3h5l2 2-2 8-2 1H7",
};
// Addresses, mailboxes and telephone numbers in what the bot says.
const LINKS =
  /(https?:\/\/[^\s<>"“”]+)|([\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(1022|1900[ .]?\d{4,6}|1900[ .]\d{2,3}[ .]\d{3}|0\d{1,3}[ .]\d{3,4}[ .]\d{3,4}|0\d{9,10})/g;

/** An element: `onclick`-like properties are listeners, true is an empty attribute, false and null are none. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

export function button(onclick, props, ...children) {
  return h("button", { type: "button", onclick, ...props }, ...children);
}

/** Words for those who hear the page. */
export function heard(...words) {
  return h("span", { class: "sr" }, ...words);
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["class", "icon"]]) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Whether following an address only leads to a page, a telephone or a mailbox. */
export function isSafe(url) {
  return /^(https?:\/\/|tel:|mailto:)[^\s\x00-\x1f]+$/i.test(url);
}

/** A link, or the plain label where it leads nowhere good. */
export function link(url, label, t, ...more) {
  if (!isSafe(url)) return h("span", null, label);
  const isPage = url.startsWith("http");
  const away = isPage ? { target: "_blank", rel: "noopener noreferrer" } : {};
  const hint = isPage && heard(` ${t.newTab}`);
  return h("a", { href: url, ...away, ...more[0] }, label, hint);
}

export function phone(number, t) {
  return link(`tel:${number.replace(/[^+\d]/g, "")}`, number, t);
}

/** What the bot says: headings, lists and links made of plain lines. */
export function rich(text, t, isTitled) {
  const made = document.createDocumentFragment();
  let list = null;
  for (const [at, line] of text.split("\n").entries()) {
    const [, indent, item] = /^(\s*)[•–-] (.*)$/.exec(line) || [];
    if (item != null) {
      if (!list) made.append((list = h("ul")));
      const [, label, rest] = (!indent && /^([^:.]{2,40}):(?!\/) ?(.*)$/.exec(item)) || [];
      const body = label ? [h("b", null, ...linked(`${label}:`, t)), " ", ...linked(rest, t)] : linked(item, t);
      list.append(h("li", { class: indent && "deep" }, ...body));
      continue;
    }
    if (!line.trim()) continue;
    list = null;
    const kind = isTitled && !at ? "title" : /^Nguồn:/.test(line) ? "source" : null;
    made.append(h("p", { class: kind }, ...linked(line, t)));
  }
  return made;
}

function linked(text, t) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(LINKS)) {
    const found = match[1] ? match[0].replace(/[.,;:!?)\]…]+$/, "") : match[0];
    const before = text[match.index - 1] || " ";
    const after = text[match.index + found.length] || " ";
    if (match[3] && (/[\w./-]/.test(before) || /[\w/-]/.test(after))) continue; // a document's number, or part of one
    parts.push(text.slice(last, match.index));
    if (match[1]) parts.push(link(found, short(found), t, { title: found }));
    else parts.push(match[2] ? link(`mailto:${found}`, found, t) : phone(found, t));
    last = match.index + found.length;
  }
  return [...parts, text.slice(last)];
}

/** An address as people read it. */
function short(url) {
  return url.replace(/^https?:\/\/(www\.)?/, "").replace(/\/.+/, "/…");
}

/** The office that an answer sends people to, if more than its name is known. */
function office({ office: found }, t) {
  if (!found || !(found.address || found.phone || found.hours || isSafe(found.map_url))) return null;
  const row = (name, ...value) => h("div", null, h("dt", null, name), h("dd", null, ...value));
  return h(
    "div",
    { class: "card", role: "group", "aria-label": t.office },
    h("h3", { lang: "vi" }, found.name),
    h(
      "dl",
      { lang: "vi" },
      found.address && row(t.address, found.address),
      found.phone && row(t.phone, phone(found.phone, t)),
      found.hours && row(t.hours, found.hours),
    ),
    isSafe(found.map_url) && link(found.map_url, t.map, t, { class: "button" }),
  );
}

/** Where a procedure is done or read about on the web. */
function online({ links = [], procedure, facets = [], kind }, t) {
  const good = (links || []).filter(({ url }) => isSafe(url));
  if (!good.length) return null;
  const title = facets?.includes("online") ? t.online : t.page;
  return h(
    "div",
    { class: "card", role: "group", "aria-label": title },
    kind === "procedure" && procedure && h("h3", null, title),
    good.map((one) => h("p", { lang: "vi" }, link(one.url, one.title || short(one.url), t))),
  );
}

/** What the bot offers to choose from; stays as it is after use, with a mark at what was chosen. */
function choices(event, t, on) {
  if (!event.buttons?.length) return null;
  const isNumbered = event.buttons.length > 1;
  return h(
    "ol",
    { class: `choices${isNumbered ? "" : " one"}`, lang: "vi" },
    event.buttons.map((choice) => {
      const isChosen = choice.payload === event.chosen;
      const mark = isChosen && ["✓", heard(`${t.chosen}: `)];
      return h("li", null, button(() => on.tap(choice), { class: isChosen && "chosen" }, mark, choice.title));
    }),
  );
}

/** The text without the lines that its buttons repeat. */
function unrepeated({ text, buttons = [] }) {
  const repeated = new Set(buttons.map(({ title }, at) => `${at + 1}. ${title}`));
  return text.split("\n").filter((line) => !repeated.has(line)).join("\n");
}

/** One answer of the bot. */
export function answer(event, t, on, rated) {
  const payload = event.payload || {};
  const isFailed = event.type === "failed";
  return h(
    "li",
    { class: `said bot${isFailed ? " failed" : ""}` },
    heard(`${t.bot}: `),
    h("div", { class: "text", lang: "vi" }, rich(unrepeated(event), t, payload.procedure)),
    !isFailed && office(payload, t),
    !isFailed && online(payload, t),
    choices(event, t, on),
    payload.kind === "place_needed" && on.canLocate && button(on.locate, { class: "soft" }, icon("pin"), t.locate),
    event.turn > 0 && on.isLastOfTurn(event) && thumbs(event, t, on, rated),
  );
}

function thumbs(event, t, on, rated) {
  const thumb = (up) =>
    button(() => on.rate(event, up), { "aria-pressed": String(rated === up) }, icon("thumb"), up ? t.up : t.down_);
  return h("div", { class: "thumbs" }, thumb(true), thumb(false));
}

/** One question: on its way, taken, or refused. */
export function question(text, t, on, entry) {
  const state = entry?.state;
  const isRefused = state === "refused";
  const error = isRefused && ((t.errors && fill(t.errors[entry.error.code] || "", entry.error)) || entry.error.text || t.failed);
  return h(
    "li",
    { class: `said you${isRefused ? " refused" : ""}` },
    heard(`${t.you}: `),
    h("div", { class: "text", lang: "vi" }, text),
    state === "waiting" && on.isLost() && h("p", { class: "note" }, t.kept),
    isRefused && [
      h("p", { class: "note" }, h("b", null, `${t.notSent}. `), error),
      h(
        "p",
        { class: "row" },
        button(() => on.again(entry), null, t.again),
        entry.body.text && button(() => on.edit(entry), null, t.edit),
      ),
    ],
  );
}

/** All that was said, as plain text. */
export function transcript(title, events, t) {
  const time = (at) => new Date(at).toLocaleString("vi-VN", { dateStyle: "short", timeStyle: "short" });
  const lines = [`${title}. ${fill(t.transcript, { when: time(Date.now()) })}`];
  for (const { type, text, at, payload } of events) {
    if (!text) continue;
    const { office: found = {}, links } = payload?.kind ? payload : {};
    const more = [found?.name, found?.address, found?.phone, found?.hours, found?.map_url, ...(links || []).map(({ url }) => url)];
    lines.push("", `${type === "user" ? t.you : t.bot} (${time(at)}):`, text, ...more.filter((part) => part && !text.includes(part)));
  }
  return lines.join("\n");
}
