"""The staff console at `/staff`: where the people of the one-stop desks keep the bot true.

Server-rendered pages (Starlette, Jinja2, htmx) in the bot's own process: `bridge` hands what Sanic receives under
`/staff` to the Starlette application that `app.create` makes.

A section of the console is one module of this package with

* `TITLE` (its menu entry, Vietnamese), `PATH` (where the entry leads, without `/staff`), `ROLE` (the least role that
  sees the entry) and `routes: list[Route]`, their paths without `/staff`;
* its templates in `templates/<module>/`, which extend `base.html` and fill the block `content`;
* its name in `sections.NAMES`.

What a section can count on:

* **Access.** Every route needs a log-in without further ado; `@access.needs(Role.PUBLISHER)` asks for more. The person
  is `access.user(request)` (`.name`, `.role`, `.role.covers(other)`).
* **Endpoints** are plain `def`: Starlette runs them in threads, so a slow one never holds up the bot. `async def` only
  for what must await (the bot's loop is the loop they run on).
* **Forms.** A POST is checked before the endpoint sees it: same origin, and the session's token, which the template
  puts into each form by `{{ csrf() }}` (htmx sends it by itself, from `<body>`). The form is read once and for all:
  `access.form(request)` gives it, uploads included, in plain `def`s too. At most 12 MB.
* **Pages.** `pages.page(request, "figures/index.html", name=value)` renders; for an htmx request render the fragment's
  own template the same way. `pages.flash(request, "Đã lưu.")` before `pages.go(request, "/figures")` shows a message on
  the next page (`kind="error"` for a failure; a form that is refused is better shown again at once, with status 422).
* **Audit.** `audit.record(request, "faq.edit", "lien-he-phan-anh/1", "đổi câu trả lời")` after each change; the action
  is `<section>.<verb>`, `audit.ACTIONS` holds its Vietnamese name.
* **State.** `request.app.state.runtime` is the bot's `Runtime` (settings, catalogue, phrasebook), `.engine` its
  database, `.bot` the Sanic application (None in tests without a bot), whose `.ctx.agent` answers.

No page has inline style or script (the content security policy forbids both): rules go to `static/<section>.css` and
`static/<section>.js`, linked in the blocks `styles` and `scripts`.
"""
