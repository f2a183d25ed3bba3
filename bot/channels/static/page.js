// The page to try the bot. Everything that comes back is shown as text; only http(s) addresses become links.
const log = document.getElementById("log");
const form = document.getElementById("ask");
const input = document.getElementById("text");
const sender = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2);

function say(who, text) {
  const box = document.createElement("div");
  box.className = `said ${who}`;
  for (const part of text.split(/(https?:\/\/[^\s)]+)/)) {
    if (/^https?:\/\//.test(part)) {
      const link = document.createElement("a");
      link.href = part;
      link.rel = "noopener";
      link.target = "_blank";
      link.textContent = part;
      box.append(link);
    } else {
      box.append(part);
    }
  }
  log.append(box);
  box.scrollIntoView({ block: "nearest" });
}

function offer(buttons) {
  const row = document.createElement("div");
  row.className = "choices";
  for (const { title, payload } of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.addEventListener("click", () => send(payload, title));
    row.append(button);
  }
  log.append(row);
  row.scrollIntoView({ block: "nearest" });
}

async function send(message, shown = message) {
  say("you", shown);
  try {
    const answer = await fetch("/webhooks/rest/webhook", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sender, message }),
    });
    if (!answer.ok) throw new Error(answer.status);
    for (const { text, buttons } of await answer.json()) {
      if (text) say("bot", text);
      if (buttons?.length) offer(buttons);
    }
  } catch {
    say("bot", "Mạng hoặc máy chủ đang trục trặc, tin của bạn chưa tới. Bạn thử gửi lại nhé.");
    input.value = input.value || shown;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  send(text);
});
input.focus();
