"""The auditor 审计: `verify PATH…` checks paper, receipts and dossiers offline, years later, without our server.

command.py    the verb: paths in, verdicts and an exit code out
inputs.py     what a path holds, and which checklist it gets
checklist.py  named checks that name the place of a failure and never end in a traceback
keys.py       whose keys a verifier has pinned, by what they are for
receipts.py   a bidder's receipt 回执 and refusal 拒收, an offer's receipt

Nothing here asks a server, a database or a network; only `command` asks the clock, once, and `--at` replaces it.
Everything is composed of the pure files of crypto, documents, bidding and auction: what the centre decided is
decided again by the same rules from the published events, and must come out the same.
"""
