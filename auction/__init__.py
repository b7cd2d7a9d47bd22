"""The auction floor: one pure engine, one writer for each lot, its hall and its record.

    model → rules → engine → replay     pure: what an auction is and how it is decided
    store, record → writer → service    one journal stream a lot, one actor a lot
    api, hall, pages                    HTTP, sockets, pages

Source: spec/auction.md, reference/engine.md, reference/domain.md §2.
"""
