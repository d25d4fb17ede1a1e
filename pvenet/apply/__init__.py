"""Apply: check, journal, stage, show, approve, compare, reload, wait, verify, confirm or roll back.

Staging and applying are different commands; `stage` is the first half, `apply` the second, and `resume` is for whoever
comes after it. Nothing here depends on the command line: progress is told as `pvenet.events`, and time and the person
are arguments.

Its modules are imported one by one, so that staging loads nothing of what applies.
"""
