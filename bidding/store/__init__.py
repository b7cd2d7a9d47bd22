"""What this room remembers: `book` folds journal rows of a section, `uploads` keeps tus offsets."""

from bidding.store.book import Book, Ceremony, Kept, Keyed, Shelf, stream_of
from bidding.store.uploads import Upload, Uploads

__all__ = ["Book", "Ceremony", "Kept", "Keyed", "Shelf", "Upload", "Uploads", "stream_of"]
