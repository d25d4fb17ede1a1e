"""Values and events to tables, diffs and JSON. Pure: it returns, it never prints.

Its modules are imported one by one, so that `pvenet list` loads no plan.
"""
