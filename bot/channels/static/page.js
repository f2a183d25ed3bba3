// With the chat on the page, its plain forms ask through the chat; without scripts the server answers them.
for (const form of document.querySelectorAll('form[action="/hoi"]')) {
  form.addEventListener("submit", (event) => {
    const chat = document.querySelector("mot-cua-chat");
    const text = (event.submitter?.name === "q" ? event.submitter : form.elements.q).value?.trim();
    if (!chat?.ask || !text) return;
    event.preventDefault();
    chat.ask(text);
    form.reset();
  });
}
