"""Who may do what and when, as far as it can be decided without looking anything up.

`counting` days, working days and rolling · `loading` RuleSets from data, the one in force ·
`schedule` is a tender or session lawful · `outcome` few bids, price formulas · `conduct` roles,
four eyes, fresh signatures. Pure: no clock, no database, no file.
"""
