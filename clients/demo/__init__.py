"""The whole job of the product on a fresh home: processes, sealed bids, an opening, an auction, records, attacks."""
