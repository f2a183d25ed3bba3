// <mot-cua-chat>: the chat of Hỏi Một Cửa on any website (docs/web-widget.md). This is the screen; client.js is the line.

import { Client } from "./client.js";
import { TEXTS, fill } from "./texts.js";
import { answer, button, h, heard, icon, phone, question, transcript } from "./view.js";

const HOTLINE = "1022";
const HUMAN = "gặp cán bộ"; // what the bot is told when somebody would rather talk to a person
const BLIP = 1500; // ms of silence on the line that nobody needs to hear about
const SLOW = 8000; // ms after which people are told that it takes long
const FULL_SCREEN = "(max-width: 30em), (max-height: 26em)";
const DEFAULT = { site: { title: "Hỏi Một Cửa", colors: {}, lang: "vi" }, limits: { characters: 1000 }, suggestions: [] };

class MotCuaChat extends HTMLElement {
  connectedCallback() {
    if (this.client) return;
    this.server = new URL(this.getAttribute("server") || "..", import.meta.url);
    if (!this.server.pathname.endsWith("/")) this.server.pathname += "/";
    this.client = new Client(this.server.href, {
      opened: (about) => this.opened(about),
      event: (event, isNew) => this.happened(event, isNew),
      changed: (entry) => this.showEntry(entry),
      typing: () => this.showBusy(),
      state: (name, error) => this.lineIs(name, error),
    });
    this.about = DEFAULT;
    this.line = "ok";
    this.consent = null;
    this.attachShadow({ mode: "open" });
    this.narrow = matchMedia(FULL_SCREEN);
    this.narrow.addEventListener("change", () => this.isShown && this.present());
    this.night = matchMedia("(prefers-color-scheme: dark)");
    this.night.addEventListener("change", () => this.color());
    this.build();
    visualViewport?.addEventListener("resize", () => this.fit());
    visualViewport?.addEventListener("scroll", () => this.fit());
    this.client.about().then((about) => this.learn(about)).catch(() => {}); // the colours; not worth a word
    const isInline = this.hasAttribute("inline");
    if (isInline || this.hasAttribute("open") || this.client.kept.open) this.open(false);
  }

  get t() {
    return TEXTS[this.client.kept.lang || this.lang] || TEXTS[this.about.site.lang] || TEXTS.vi;
  }

  // -- for the page that it is on ----------------------------------------------------------------------------------

  /** Show the conversation. */
  open(takesFocus = true) {
    this.remember({ open: true });
    if (!this.client.isOpen) this.lineIs("down");
    this.client.start();
    this.launcher.hidden = true;
    this.isShown = true;
    this.isUnread = false;
    this.present();
    this.toEnd();
    if (takesFocus) (matchMedia("(pointer: coarse)").matches ? this.heading : this.input).focus();
  }

  /** Leave the button only; the conversation stays. */
  close() {
    if (this.hasAttribute("inline")) return;
    this.remember({ open: false });
    this.isShown = false;
    this.panel.close();
    this.root.append(this.live);
    this.launcher.hidden = false;
    this.labelLauncher();
    this.launcher.focus();
  }

  /** Ask something as if it had been typed. */
  ask(text) {
    if (!this.isShown) this.open();
    this.client.send({ text: String(text) });
    this.toEnd();
  }

  // -- the frame -----------------------------------------------------------------------------------------------------

  build() {
    const t = this.t;
    const draft = this.client.kept.draft;
    this.started = null;
    this.items = new Map();
    this.rated = new Map();
    this.launcher = button(() => this.open(), { class: "launcher", "aria-haspopup": "dialog" });
    this.labelLauncher();
    this.live = h("div", { class: "sr", role: "status", "aria-live": "polite", "aria-atomic": "true" });
    this.panel = h(
      "dialog",
      { class: "panel", "aria-labelledby": "title", onkeydown: (event) => this.escaped(event) },
      this.buildHeader(t),
      this.buildTalk(t),
      (this.banner = h("p", { class: "banner", hidden: true })),
      (this.sure = h("div", { class: "sure", role: "group", hidden: true })),
      this.buildForm(t, draft),
    );
    this.panel.addEventListener("cancel", (event) => event.preventDefault()); // Escape is ours
    this.panel.addEventListener("close", () => this.isShown && !this.panel.open && this.close());
    this.root = h("div", { class: "root", lang: t === TEXTS.en ? "en" : "vi" }, this.launcher, this.panel, this.live);
    this.color();
    const css = this.css("all");
    this.root.hidden = true; // until it looks as it should; without its looks it is still better than nothing
    for (const done of ["load", "error"]) css.addEventListener(done, () => ((this.root.hidden = false), this.toEnd()));
    this.shadowRoot.replaceChildren(css, this.root);
    for (const event of this.client.kept.events) this.show(event);
    for (const entry of this.client.kept.outbox) this.showEntry(entry);
    this.showStart();
    this.count();
  }

  buildHeader(t) {
    const item = (label, action, when = true) =>
      when && h("li", null, button(() => (this.toggleMenu(false), action()), null, label));
    const expands = { class: "plain", "aria-expanded": "false", "aria-controls": "menu" };
    this.menuButton = button(() => this.toggleMenu(), expands, icon("menu"), heard(t.menu));
    this.menu = h(
      "ul",
      { id: "menu", class: "menu", hidden: true },
      item(t.copy, () => this.copy()),
      item(t.print, () => this.print()),
      item(t.download, () => this.download()),
      item(t.over, () => this.makeSure(t.overAsk, t.over, () => this.client.restart())),
      item(t.forget, () => this.makeSure(t.forgetAsk, t.forget, () => this.forget())),
      item(t.other, () => this.switchLanguage()),
    );
    this.heading = h("h2", { id: "title", tabindex: -1, lang: "vi" }, this.about.site.title);
    return h(
      "div",
      { class: "head" },
      this.heading,
      this.menuButton,
      !this.hasAttribute("inline") && button(() => this.close(), { class: "plain" }, icon("close"), heard(t.close)),
      h("p", null, t.machine, h("br"), h("span", { class: "nowrap" }, `${t.footer} `, phone(HOTLINE, t))),
      button(() => this.ask(HUMAN), { class: "human" }, t.human),
      this.menu,
    );
  }

  buildTalk(t) {
    this.notice = h("section", { class: "notice", "aria-label": t.noticeTitle });
    this.log = h("ol", { class: "log" });
    this.suggestions = h("section", { class: "suggestions", "aria-label": t.suggestions });
    this.busy = h("p", { class: "busy", hidden: true });
    this.talk = h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": t.talk },
      this.notice,
      this.log,
      this.suggestions,
      this.busy,
    );
    return this.talk;
  }

  buildForm(t, draft) {
    this.input = h("textarea", {
      id: "input",
      rows: 1,
      placeholder: t.placeholder,
      lang: "vi",
      autocomplete: "off",
      enterkeyhint: "send",
      "aria-describedby": "counter",
      onkeydown: (event) => this.keyed(event),
      oninput: () => this.count(),
    });
    this.input.value = draft;
    this.counter = h("span", { id: "counter" });
    const canLocate = "geolocation" in navigator && isSecureContext;
    return h(
      "form",
      { onsubmit: (event) => (event.preventDefault(), this.submit()) },
      h("label", { for: "input", class: "sr" }, t.label),
      h("div", { class: "write" }, this.input, h("button", { class: "send" }, t.send)),
      h(
        "div",
        { class: "under" },
        canLocate && button(() => this.locate(), { class: "soft" }, icon("pin"), t.locate),
        this.counter,
      ),
    );
  }

  labelLauncher() {
    const unread = this.isUnread && h("span", { class: "dot" }, heard(`, ${this.t.unread}`));
    this.launcher.replaceChildren(...[icon("chat"), this.t.launch, unread].filter(Boolean));
  }

  /** A window beside the page where there is room, one that covers it where there is not. */
  present() {
    const { panel } = this;
    const focused = this.shadowRoot.activeElement;
    if (panel.open) panel.close();
    panel.append(this.live); // what is outside of a modal dialog is not read out
    if (this.narrow.matches && !this.hasAttribute("inline")) panel.showModal();
    else panel.open = true; // not show(): that moves the focus
    focused?.focus();
    this.fit();
    this.count();
  }

  /** On a phone, stay above the keyboard. */
  fit() {
    const view = visualViewport;
    const isCovered = this.isShown && this.narrow.matches && view && view.scale === 1 && view.height < innerHeight - 50;
    this.root.style.setProperty("--shown-height", isCovered ? `${view.height}px` : "100%");
    this.root.style.setProperty("--shown-top", isCovered ? `${view.offsetTop}px` : "0px");
  }

  color() {
    for (const [name, value] of Object.entries(this.about.site.colors)) this.root.style.setProperty(`--site-${name}`, value);
    const theme = this.getAttribute("theme");
    this.root.classList.toggle("dark", theme ? theme === "dark" : this.night.matches);
  }

  remember(what) {
    Object.assign(this.client.kept, what);
    this.client.save();
  }

  switchLanguage() {
    this.remember({ lang: this.t === TEXTS.en ? "vi" : "en" });
    this.rebuild();
    this.menuButton.focus();
  }

  rebuild() {
    this.build();
    this.launcher.hidden = this.isShown;
    if (this.isShown) this.present();
  }

  // -- what the server tells ------------------------------------------------------------------------------------------

  learn(about) {
    const before = this.t;
    this.about = about;
    if (this.t !== before) this.rebuild();
    this.heading.textContent = about.site.title;
    this.color();
    this.showStart();
    this.count();
  }

  opened(about) {
    this.consent = about.consent;
    this.learn(about);
  }

  happened(event, isNew) {
    const isNearEnd = this.talk.scrollHeight - this.talk.scrollTop - this.talk.clientHeight < 120;
    if (event.type === "consent") this.consent = event.given;
    if (event.type === "restarted") {
      this.items.clear();
      this.log.replaceChildren();
      for (const entry of this.client.kept.outbox) this.showEntry(entry);
    }
    const item = this.show(event);
    this.showStart();
    this.showBusy();
    if (event.type !== "bot" && event.type !== "failed") return isNearEnd && event.type === "user" && this.toEnd();
    if (isNearEnd) this.toTop(this.items.get(`q${event.id}`) || item);
    if (isNew) this.announceAnswer(event);
    if (isNew && !this.isShown) {
      this.isUnread = true;
      this.labelLauncher();
    }
  }

  lineIs(name, error) {
    if (this.line === name && name !== "refused") return;
    this.line = name;
    clearTimeout(this.blip);
    for (const entry of this.client.kept.outbox) this.showEntry(entry);
    if (name !== "ok") this.blip = setTimeout(() => this.tellLine(error), BLIP);
    else if (!this.banner.hidden) {
      this.banner.hidden = true;
      this.announce(this.t.back);
    }
    this.showBusy();
  }

  tellLine(error) {
    const t = this.t;
    const told = this.line === "refused" ? this.refusal(error) : t[this.line];
    this.banner.replaceChildren(told, ` ${t.footer} `, phone(HOTLINE, t), ".");
    this.banner.hidden = false;
    this.announce(told);
    for (const entry of this.client.kept.outbox) this.showEntry(entry);
  }

  refusal(error) {
    return fill(this.t.errors?.[error.code] || error.message || this.t.failed, { n: error.seconds });
  }

  // -- what is on the screen ------------------------------------------------------------------------------------------

  get on() {
    return (this.actions ??= {
      canLocate: "geolocation" in navigator && isSecureContext,
      locate: () => this.locate(),
      tap: (button) => (this.client.send({ payload: button.payload }, button.title), this.toEnd()),
      rate: (event, up) => this.rate(event, up),
      isLastOfTurn: (event) => !this.client.kept.events.some((other) => other.turn === event.turn && other.cursor > event.cursor && other.type === "bot"),
      isLost: () => !this.banner.hidden,
      again: (entry) => (this.client.again(entry), this.input.focus()),
      edit: (entry) => this.edit(entry),
    });
  }

  show(event) {
    const { t, on } = this;
    if (event.type === "user") {
      for (const offer of this.client.kept.events) if (offer.chosen && offer.chosen === event.payload) this.show(offer);
      return this.put(`q${event.id}`, question(event.text, t, on));
    }
    if (event.type === "bot" || event.type === "failed") {
      return this.put(keyOf(event), answer(event, t, on, this.rated.get(event.turn)));
    }
    if (event.type === "rated") {
      this.rated.set(event.turn, event.up);
      for (const other of this.client.kept.events) if (other.turn === event.turn && other.type === "bot") this.show(other);
    }
    return null;
  }

  showEntry(entry) {
    const isTold = this.client.kept.events.some(({ type, id }) => type === "user" && id === entry.id);
    if (!isTold) this.put(`q${entry.id}`, question(entry.text, this.t, this.on, entry));
    if (entry.state === "refused" && !entry.isSaid) {
      entry.isSaid = true;
      this.announce(`${this.t.notSent}. ${this.refusal({ ...entry.error, message: entry.error.text, seconds: entry.error.n })}`);
    }
    this.showStart();
    this.showBusy();
  }

  /** Put an item into the log, or in place of what it was before; whoever was on a button of it stays there. */
  put(key, item) {
    const old = this.items.get(key);
    this.items.set(key, item);
    if (!old) {
      this.log.append(item);
      return item;
    }
    const focused = [...old.querySelectorAll("a, button, input")].indexOf(this.shadowRoot.activeElement);
    item.append(...old.querySelectorAll(".why")); // a reason that is being written
    old.replaceWith(item);
    if (focused >= 0) (item.querySelectorAll("a, button, input")[focused] || this.input).focus();
    return item;
  }

  /** The notice, and questions to begin with. */
  showStart() {
    const { t, about } = this;
    const isDecided = this.consent !== null && !this.isDeciding;
    const isBeginning = !this.items.size && about.suggestions.length;
    const state = [this.consent, isDecided, isBeginning, about.kept_days].join();
    if (state === this.started) return;
    this.started = state;
    const hadFocus = this.notice.contains(this.shadowRoot.activeElement);
    const days = { days: about.kept_days };
    const decide = (given, label) => button(() => this.decide(given), null, label);
    const change = () => ((this.isDeciding = true), this.showStart());
    this.notice.replaceChildren(
      ...(isDecided
        ? [h("p", null, fill(this.consent ? t.agreed : t.refused, days), " ", button(change, { class: "inline" }, t.change))]
        : [h("h3", null, t.noticeTitle), h("p", null, t.notice), ...(about.kept_days ? [h("p", null, fill(t.consent, days)), h("p", { class: "row" }, decide(true, t.agree), decide(false, t.refuse))] : [])]),
    );
    if (hadFocus) this.notice.querySelector("button")?.focus();
    this.suggestions.replaceChildren(
      ...(isBeginning ? [h("h3", null, t.suggestions), h("ul", { lang: "vi" }, about.suggestions.map((text) => this.suggestion(text)))] : []),
    );
  }

  suggestion(text) {
    return h("li", null, button(() => (this.input.focus(), this.ask(text)), null, text));
  }

  showBusy() {
    const isBusy = this.client.unanswered.length > 0 || this.client.typing;
    const isLost = !this.banner.hidden;
    if (isBusy && !this.slow) this.slow = setTimeout(() => this.tellSlow(), SLOW);
    if (!isBusy || isLost) {
      clearTimeout(this.slow);
      this.slow = null;
    }
    if (this.busy.hidden && isBusy) this.busy.replaceChildren(h("i"), this.t.typing);
    this.busy.hidden = !isBusy || isLost;
  }

  tellSlow() {
    this.busy.replaceChildren(h("i"), this.t.slow);
    this.announce(this.t.slow);
  }

  /** Show the last word, or the notice before the first one. */
  toEnd() {
    this.talk.scrollTop = this.items.size ? this.talk.scrollHeight : 0;
  }

  /** Begin reading at an item. */
  toTop(item) {
    this.talk.scrollTop += item.getBoundingClientRect().top - this.talk.getBoundingClientRect().top - 8;
  }

  // -- what is read out: one place, each thing once -------------------------------------------------------------------

  announceAnswer(event) {
    const spoken = this.items.get(keyOf(event)).cloneNode(true);
    for (const part of spoken.querySelectorAll(".thumbs, .choices, .soft")) part.remove();
    for (const part of spoken.querySelectorAll("p, li, dt, dd, h3")) part.append(" ");
    const titles = (event.buttons || []).map(({ title }) => title);
    const offer = titles.length ? fill(this.t.choices, { n: titles.length, list: titles.join("; ") }) : "";
    this.announce(`${spoken.textContent} ${offer}`.replace(/\s+/g, " ").trim());
  }

  announce(text) {
    (this.toSay ??= []).push(text);
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      this.live.replaceChildren(...this.toSay.map((one) => h("p", null, one)));
      this.toSay = [];
    }, 100);
  }

  // -- what people do -----------------------------------------------------------------------------------------------

  get length() {
    return [...this.input.value.normalize("NFC").trim()].length;
  }

  count() {
    const most = this.about.limits.characters;
    const over = this.length - most;
    this.counter.textContent = fill(over > 0 ? this.t.tooLong : this.t.counter, { n: over > 0 ? over : this.length, most });
    this.counter.classList.toggle("over", over > 0);
    if (over > 0 && this.input.getAttribute("aria-invalid") !== "true") this.announce(this.counter.textContent);
    this.input.setAttribute("aria-invalid", String(over > 0));
    this.input.rows = 1;
    while (this.input.rows < 5 && this.input.scrollHeight > this.input.clientHeight + 2) this.input.rows += 1;
    this.remember({ draft: this.input.value });
  }

  keyed(event) {
    // While an input method composes (Vietnamese keyboards do), Enter ends the word, not the message.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    if (!this.length) return this.input.focus();
    if (this.length > this.about.limits.characters) {
      this.announce(this.counter.textContent);
      return this.input.focus();
    }
    this.client.send({ text: this.input.value.trim() });
    this.input.value = "";
    this.count();
    this.input.focus();
    this.toEnd();
  }

  edit(entry) {
    this.client.drop(entry);
    this.items.get(`q${entry.id}`).remove();
    this.items.delete(`q${entry.id}`);
    this.input.value = [entry.text, this.input.value].filter(Boolean).join("\n");
    this.count();
    this.showStart();
    this.input.focus();
  }

  escaped(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    if (!this.menu.hidden) this.toggleMenu(false);
    else if (!this.sure.hidden) this.unsure();
    else this.close();
  }

  toggleMenu(isOpen = this.menu.hidden) {
    this.menu.hidden = !isOpen;
    this.menuButton.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? this.menu.querySelector("button") : this.menuButton).focus();
  }

  async locate() {
    this.announce(this.t.locating);
    try {
      const { coords } = await new Promise((found, failed) =>
        navigator.geolocation.getCurrentPosition(found, failed, { timeout: 15000, maximumAge: 300000 }),
      );
      this.client.send({ location: { lat: coords.latitude, lon: coords.longitude } }, this.t.here);
      this.toEnd();
    } catch {
      this.say(this.t.locateFailed);
    }
  }

  /** A word that is no part of the conversation, with what can be done about it. */
  tell(text, ...buttons) {
    const no = button(() => this.unsure(), null, buttons.length ? this.t.cancel : "OK");
    this.sure.replaceChildren(h("p", { id: "sure" }, text), h("p", { class: "row" }, ...buttons, no));
    this.sure.hidden = false;
  }

  say(text) {
    this.announce(text);
    this.tell(text);
  }

  makeSure(text, label, action) {
    const go = () => (this.unsure(), this.attempt(action));
    const yes = button(go, { class: "send", "aria-describedby": "sure" }, label);
    this.tell(text, yes);
    yes.focus();
  }

  unsure() {
    this.sure.hidden = true;
    this.input.focus();
  }

  /** Do something that needs the server; where it fails, say so. */
  async attempt(action) {
    try {
      await action();
      return true;
    } catch (error) {
      this.say(error.code ? this.refusal(error) : this.t.failed);
      return false;
    }
  }

  async decide(given) {
    if (!(await this.attempt(() => this.client.consent(given)))) return;
    this.consent = given;
    this.isDeciding = false;
    this.showStart();
    this.announce(this.notice.querySelector("p").firstChild.textContent);
  }

  async forget() {
    await this.client.forget();
    this.items.clear();
    this.rated.clear();
    this.log.replaceChildren();
    this.consent = null;
    this.showStart();
    this.showBusy();
    this.say(this.t.forgotten);
  }

  async rate(event, up) {
    if (!(await this.attempt(() => this.client.rate(event.turn, up)))) return;
    if (up) this.announce(this.t.thanks);
    else this.askWhy(event);
  }

  askWhy(event) {
    const { t } = this;
    const item = this.items.get(keyOf(event));
    item.querySelector(".why")?.remove();
    const input = h("input", { id: `why${event.turn}`, maxlength: 500, lang: "vi", autocomplete: "off" });
    const done = async (reason) => {
      if (reason && !(await this.attempt(() => this.client.rate(event.turn, false, reason)))) return;
      form.remove();
      this.items.get(keyOf(event)).querySelector(".thumbs button:last-child").focus(); // drawn anew meanwhile
      this.announce(t.thanks);
    };
    const form = h(
      "form",
      { class: "why", onsubmit: (submitted) => (submitted.preventDefault(), done(input.value.trim())) },
      h("label", { for: input.id }, t.reason),
      input,
      !this.consent && h("p", { class: "note" }, t.reasonLost),
      h("p", { class: "row" }, h("button", { class: "send" }, t.reasonSend), button(() => done(""), null, t.skip)),
    );
    item.append(form);
    input.focus();
  }

  // -- to take along ------------------------------------------------------------------------------------------------

  get transcript() {
    return transcript(this.about.site.title, this.client.kept.events, this.t);
  }

  async copy() {
    const text = this.transcript;
    const isCopied = await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => true, () => this.copyByHand(text));
    this.say(isCopied ? this.t.copied : this.t.failed);
  }

  /** Without https there is no clipboard for scripts, but there is "copy what is marked". */
  copyByHand(text) {
    const area = h("textarea", { class: "sr" });
    area.value = text;
    this.panel.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }

  download() {
    const file = new Blob(["\ufeff", this.transcript], { type: "text/plain;charset=utf-8" });
    const url = URL.createObjectURL(file);
    h("a", { href: url, download: `hoi-mot-cua-${new Date().toISOString().slice(0, 10)}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  /** Print the conversation and nothing else of the page. */
  print() {
    const sheet = h("pre", { class: "mot-cua-print", lang: "vi", hidden: true }, this.transcript);
    const css = this.css("print");
    addEventListener("afterprint", () => (sheet.remove(), css.remove()), { once: true });
    css.addEventListener("load", () => print());
    document.body.append(sheet, css);
  }

  css(media) {
    return h("link", { rel: "stylesheet", href: new URL("chat.css", import.meta.url), media });
  }
}

/** An answer's key: cursors begin again with each session. */
function keyOf({ id, cursor }) {
  return `a${id} ${cursor}`;
}

customElements.get("mot-cua-chat") || customElements.define("mot-cua-chat", MotCuaChat);

// One script tag is enough: where the page has no <mot-cua-chat>, it gets one.
const add = () => document.querySelector("mot-cua-chat") || document.body.append(h("mot-cua-chat"));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", add);
else add();
