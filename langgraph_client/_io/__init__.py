"""The parts in which async and blocking code differ too much for a generated twin.

They are pairs of modules with the same names in them, one for each colour: `asyncio_network` and
`blocking_network`, `tasks` and `threads`. The modules of `_async` import the first of each pair,
those of `_sync` the second.
"""
