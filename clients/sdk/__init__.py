"""The centre's HTTP and WebSocket interface as Python calls.

``wire`` is one keep-alive connection, ``session`` logs in by a signed challenge, ``uploads`` speaks tus,
``bids`` submits and follows receipts, ``ledger`` reads the log and never takes it on trust, ``live`` follows
a hall, ``opening`` acts in one and keeps what the centre signs for it. Built on the standard library's ``http.client``: a custodian's process should hold as little
foreign code as it can, start at once and stay small.
"""
