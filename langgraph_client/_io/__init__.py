"""What async and blocking code do so differently that no rewriting of words leads there.

Pairs of modules with the same names in them, one for each colour: `asyncio_network` and
`blocking_network`, `tasks` and `threads`. The shells of `_async` import the first of each pair,
those of `_sync` the second.
"""
