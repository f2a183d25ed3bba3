"""Versions of the bot: made from a snapshot of `nlu_data/`, measured, published, brought back.

Knows nothing of the web.
`store` keeps versions and says which one answers · `snapshot` packs a folder and tells two apart · `job` is the
training in progress · `measure` asks a new version what it should know · `trainer` is the process that does it all.
"""
