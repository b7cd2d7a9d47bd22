"""What decides about bids, pure: no clock, no database.

`bids` deadline, replacement, withdrawal, the live set · `outside` a submission judged on its
outside only · `draw` the float point 浮动点 · `receipt` a receipt checked offline.
"""
