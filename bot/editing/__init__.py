"""Editing `nlu_data/` by machine as carefully as a person would: only the lines of what changed are touched.

* `lines` changes single values of a YAML file, and leaves every other line (comments, order, quotes) as it was;
* `editor` knows the entries of the phrasebook, locks and writes the files, and tells of edits by two people;
* `checks` says what is wrong with an entry before it is written; `links` whether a link is dead.
"""
