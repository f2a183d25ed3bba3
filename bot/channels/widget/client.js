// Talks with the bot (docs/web-protocol.md): one session, an outbox that loses nothing, and news by a stream, or by
// long polls where a proxy holds streams back. Knows nothing of the screen.

const HELLO = 4000; // ms in which a stream must show a sign of life; a proxy that collects it first shows none
const SILENCE = 40000; // the server pings every 15 s
const ECHO = 4000; // in which what was sent must come back on the stream
const CALL = 20000;
const UNANSWERED = 75000; // the server gives up a turn after 60 s; later it has lost the question
const POLLS = 300000; // then a stream is tried again
const ASLEEP = 60000; // a page that nobody sees lets go of its connection
const PAUSES = [1, 2, 4, 8, 15]; // s between attempts
const MOST_EVENTS = 200;
const LONGEST_WAIT = 25; // s of one poll

/** An error for what the server does not do: `status`, `code`, `message` for people, `seconds` to wait. */
function refused(status, { error, code } = {}, seconds = 0) {
  // Of some, asking again a little later may help by itself.
  return Object.assign(new Error(error), { status, code, seconds, passes: status === 401 || status > 500 });
}

export class Client {
  /**
   * @param server address of the bot, ending in "/"
   * @param on called with what happens: opened(about), event(event, isNew), changed(entry), typing(), state(name, error)
   */
  constructor(server, on) {
    this.base = new URL("webhooks/web/", server);
    this.name = `mot-cua-chat ${server}`;
    this.on = on;
    // This tab's own copy, on the citizen's device: what was said is on the screen again before the server answers.
    this.kept = { cursor: 0, events: [], outbox: [], draft: "", open: false, ...load("sessionStorage", this.name) };
    for (const entry of this.kept.outbox) if (entry.state === "sent") entry.state = "waiting";
    this.isOpen = false;
    this.typing = false;
    this.pollUntil = 0;
    this.wait = LONGEST_WAIT;
    this.failures = 0;
  }

  save() {
    store("sessionStorage", this.name, this.kept);
  }

  /** Questions on their way, or taken and not answered yet. */
  get unanswered() {
    return this.kept.outbox.filter((entry) => entry.state !== "refused");
  }

  /** How the chat looks on this site, before there is a session. */
  async about() {
    return (await this.call("GET", "site", undefined, { cache: "default" })).json();
  }

  start() {
    if (this.running) return;
    this.running = true;
    addEventListener("online", () => this.kick());
    addEventListener("offline", () => this.kick());
    addEventListener("pageshow", (event) => event.persisted && this.kick());
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.sleep);
      if (document.hidden) this.sleep = setTimeout(() => this.unanswered.length || this.kick(), ASLEEP);
      else this.kick();
    });
    this.run();
  }

  // -- what people do ------------------------------------------------------------------------------------------

  /** Put something into the outbox; it is sent as soon as it can be, once. */
  send(body, shown) {
    const entry = { id: id(), body, text: shown ?? body.text, at: new Date().toISOString(), state: "waiting" };
    this.kept.outbox.push(entry);
    this.save();
    this.on.changed(entry);
    this.start();
    this.tryToDeliver();
    return entry;
  }

  again(entry) {
    entry.state = "waiting";
    delete entry.error;
    this.save();
    this.on.changed(entry);
    this.tryToDeliver();
  }

  drop(entry) {
    this.kept.outbox = this.kept.outbox.filter((other) => other !== entry);
    this.save();
  }

  consent(given) {
    return this.act("consent", { given });
  }

  rate(turn, up, reason) {
    return this.act("feedback", { turn, up, ...(reason ? { reason } : {}) });
  }

  restart() {
    return this.act("restart", {});
  }

  async forget() {
    await this.ready();
    await this.call("DELETE", "session");
    store("localStorage", this.name, null);
    this.token = "";
    this.isOpen = false; // the next one is a session of its own
    this.kept.events = [];
    this.kept.outbox = [];
    this.kept.cursor = this.past = 0;
    this.save();
    this.kick();
  }

  async act(path, body) {
    await this.ready();
    try {
      return await (await this.call("POST", path, body)).json();
    } catch (error) {
      if (error.status !== 401) throw error;
      this.lostSession();
      await this.open();
      return (await this.call("POST", path, body)).json();
    }
  }

  async ready() {
    this.start();
    if (!this.isOpen) await this.open();
  }

  // -- the line ------------------------------------------------------------------------------------------------

  async run() {
    for (;;) {
      try {
        if (!navigator.onLine) throw new TypeError("offline");
        if (document.hidden && !this.unanswered.length && this.isOpen) await seen();
        if (!this.isOpen) await this.open();
        await this.deliver();
        await (Date.now() < this.pollUntil ? this.poll() : this.stream());
      } catch (error) {
        if (error.kicked && navigator.onLine) continue;
        if (error.status === 401) this.lostSession();
        // What was taken may be lost with the server: the same id is answered once, however often it is sent.
        for (const entry of this.kept.outbox) if (entry.state === "sent") entry.state = "waiting";
        this.on.state(navigator.onLine ? (error.status && !error.passes ? "refused" : "down") : "offline", error);
        const pause = error.seconds || PAUSES[Math.min(this.failures++, PAUSES.length - 1)];
        await this.pause(error.status === 403 ? 60 : pause);
      }
    }
  }

  pause(seconds) {
    return this.interruptible(0, () => later(seconds * 1000)).catch(() => {});
  }

  /** Begin anew with whatever is waited for. */
  kick() {
    this.control?.abort();
  }

  /** Do something that `kick` and the clock can stop. */
  async interruptible(ms, work) {
    const control = (this.control = new AbortController());
    const { signal } = control;
    let late = false;
    let timer;
    const extend = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => ((late = true), control.abort()), ms);
    };
    if (ms) extend(ms);
    const stopped = new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(Object.assign(new Error(), { late, kicked: !late })));
    });
    try {
      return await Promise.race([stopped, work(signal, extend)]);
    } finally {
      clearTimeout(timer);
      control.abort();
    }
  }

  async call(method, path, body, more = {}) {
    const headers = body ? { "Content-Type": "application/json" } : {};
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const control = new AbortController();
    const timer = more.signal || setTimeout(() => control.abort(), CALL);
    try {
      const response = await fetch(new URL(path, this.base), {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: "include",
        cache: "no-store",
        signal: control.signal,
        ...more,
      });
      if (response.ok) return response;
      const told = await response.json().catch(() => ({}));
      throw refused(response.status, told, Number(response.headers.get("Retry-After")));
    } finally {
      clearTimeout(timer);
    }
  }

  open() {
    // Tabs that open together wait for each other, so that they share one session.
    this.opening ??= locked(this.name, async () => {
      const stored = load("localStorage", this.name)?.token;
      const answer = await (await this.call("POST", "session", { token: this.token || stored || "" })).json();
      // Where the server set a cookie that no script can read, no script keeps the token.
      const byCookie = !answer.token || (answer.cookie && !this.noCookie);
      this.token = byCookie ? "" : answer.token;
      store("localStorage", this.name, byCookie ? null : { token: this.token });
      if (answer.cursor < this.kept.cursor) this.kept.cursor = this.past = 0; // another session than before
      this.past ??= this.kept.cursor ? 0 : answer.cursor;
      this.isOpen = true;
      this.on.opened(answer);
      this.on.state("ok");
    }).finally(() => (this.opening = null));
    return this.opening;
  }

  lostSession() {
    if (this.isOpen) this.noCookie = true; // it was set, and did not come along
    this.isOpen = false;
    this.token = "";
    store("localStorage", this.name, null);
  }

  /** Send what waits in the outbox, in order. */
  async deliver() {
    if (!this.isOpen) return;
    this.delivering ??= this.deliverAll().finally(() => (this.delivering = null));
    await this.delivering;
  }

  /** The same, leaving what goes wrong to the line. */
  tryToDeliver() {
    if (!this.isOpen) this.kick();
    this.deliver().catch((error) => {
      if (error.status === 401) this.lostSession();
      this.kick();
    });
  }

  async deliverAll() {
    for (let entry; (entry = this.kept.outbox.find(({ state }) => state === "waiting")); ) {
      try {
        const { cursor } = await (await this.call("POST", "messages", { id: entry.id, ...entry.body })).json();
        entry.state = "sent";
        setTimeout(() => this.expect(entry, cursor), ECHO);
        setTimeout(() => this.askAgain(entry), UNANSWERED);
      } catch (error) {
        if (!error.status || error.passes) throw error;
        if (error.code === "unknown_button" && entry.text) {
          entry.body = { text: entry.text }; // the log that offered it is gone: its words will do
        } else {
          Object.assign(entry, { state: "refused", error: { code: error.code, text: error.message, n: error.seconds } });
        }
      }
      this.save();
      this.on.changed(entry);
    }
  }

  /** What was taken must come back as news; a stream on which it does not is being held back. */
  expect(entry, cursor) {
    if (this.kept.cursor >= cursor || !this.kept.outbox.includes(entry) || !this.streaming) return;
    this.pollUntil = Date.now() + POLLS;
    this.kick();
  }

  askAgain(entry) {
    if (this.kept.outbox.includes(entry) && entry.state === "sent") this.again(entry);
  }

  async stream() {
    let alive = false;
    try {
      await this.interruptible(HELLO, async (signal, extend) => {
        const response = await this.call("GET", `events?after=${this.kept.cursor}`, undefined, { signal });
        if (!response.headers.get("Content-Type")?.startsWith("text/event-stream") || !response.body) {
          throw refused(502);
        }
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        let buffer = "";
        this.streaming = true;
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          if (!alive) this.well();
          alive = true;
          extend(SILENCE);
          const parts = (buffer + decoder.decode(value, { stream: true })).split("\n\n");
          buffer = parts.pop();
          for (const part of parts) {
            const data = part.split("\n").find((line) => line.startsWith("data: "));
            if (data) this.take(JSON.parse(data.slice(6)));
          }
        }
      });
      await this.pause(PAUSES[0]);
    } catch (error) {
      if (!alive && (error.late || error.status >= 500)) this.pollUntil = Date.now() + POLLS;
      if (!alive && error.late) return; // not lost: polls go on from here
      throw error;
    } finally {
      this.streaming = false;
    }
  }

  async poll() {
    const path = `events?after=${this.kept.cursor}&wait=${this.failures ? 0 : this.wait}`;
    try {
      const { events } = await this.interruptible((this.wait + 10) * 1000, async (signal) =>
        (await this.call("GET", path, undefined, { signal })).json(),
      );
      this.well();
      for (const event of events) this.take(event);
    } catch (error) {
      if (error.status === 502 || error.status === 504) this.wait = Math.max(3, Math.floor(this.wait / 2));
      throw error;
    }
  }

  well() {
    this.failures = 0;
    this.on.state("ok");
  }

  // -- what happened ---------------------------------------------------------------------------------------------

  take(event) {
    if (event.type === "typing") {
      this.typing = true;
      return this.on.typing();
    }
    const kept = this.kept;
    if (event.cursor <= kept.cursor) return;
    kept.cursor = event.cursor;
    if (event.type === "restarted") {
      kept.events = [];
      kept.outbox = kept.outbox.filter(({ state }) => state !== "sent");
    }
    if (event.type === "bot" || event.type === "failed") kept.outbox = kept.outbox.filter(({ id }) => id !== event.id);
    if (event.type !== "user") this.typing = false;
    if (event.type === "user") {
      const entry = kept.outbox.find(({ id }) => id === event.id);
      if (entry) entry.state = "sent";
      const offers = ({ buttons }) => buttons?.some(({ payload }) => payload === event.payload);
      const offer = [...kept.events].reverse().find(offers);
      if (offer) offer.chosen = event.payload;
    }
    const isTold = event.type === "user" && kept.events.some(({ type, id }) => type === "user" && id === event.id);
    if (!isTold) kept.events = [...kept.events, event].slice(-MOST_EVENTS);
    this.save();
    this.on.event(event, event.cursor > this.past);
  }
}

function id() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function later(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

function seen() {
  return new Promise((done) => {
    document.addEventListener("visibilitychange", done, { once: true });
    addEventListener("pageshow", done, { once: true });
  });
}

function locked(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}

// Storage may be forbidden or full; then this page load is all there is.

function load(where, name) {
  try {
    return JSON.parse(window[where].getItem(name));
  } catch {
    return null;
  }
}

function store(where, name, value) {
  try {
    window[where].setItem(name, JSON.stringify(value));
  } catch {
    // see above
  }
}
