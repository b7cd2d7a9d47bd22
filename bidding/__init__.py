"""Floor 3a: sealed bids and the remote opening 不见面开标.

`model` names things · `package` packs and unpacks a bid · `rules` decide deadline, replacement and
receipts · `release` is the custodian's own decision · `opening` is the hall's machine · `record`
turns journal rows into facts for paper · `store` remembers · `service` ties · `hall`, `api` speak.
"""
