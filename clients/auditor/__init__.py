"""The auditor 审计: `verify PATH…` checks paper, receipts and dossiers offline, years later, without our server.

command.py    the verb: paths in, verdicts and an exit code out; show.py writes a report for people
inputs.py     what a path holds, and which checklist it gets
checklist.py  named checks that name the place of a failure and never end in a traceback
keys.py       whose keys a verifier has pinned, by what they are for
receipts.py   a bidder's receipt 回执 and refusal 拒收, an offer's receipt
beside.py     a dossier held against the receipts that are given with it
dossier.py    a dossier 归档包: its paper, then what its events tell of
  evidence.py   its files, read once; run.py its run of ledger leaves; issued.py who was given which key
  section.py    one section read; opening.py its checklist
    custody.py what custodians answered, replies.py what is said of them · hall.py the hall · answers.py what people said in it
    handed.py what was handed out · published.py what was published · bids.py sealed files · rows.py, headings.py the rest
  auction.py    the checklist of an auction
  papers.py     records computed again from the events

Nothing here asks a server, a database or a network; only `command` asks the clock, once, and `--at` replaces it.
Everything is composed of the pure files of crypto, documents, bidding and auction: what the centre decided is
decided again by the same rules from the published events, and must come out the same.
"""
