"""Whoever speaks to a running centre or checks its paper; no server code lives here.

``sdk`` is the wire, ``seal`` and ``bids`` are the bidder's own machine, ``custodian`` and ``witness``
are processes of other organisations, ``bench`` measures. Pure files of the floors below may be imported,
services and stores never: what a client knows, it knows over the wire or from paper.
"""
