"""Documents: facts in, signed PDF out, and the checks anyone can make of that paper offline."""
