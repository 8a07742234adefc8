"""The tables of the library."""

from media_library.models.base import Base
from media_library.models.collection import Collection, CollectionItem
from media_library.models.media import MediaItem, MediaKind, Visibility
from media_library.models.sharing import MediaDownload, MediaExport, MediaReview, MediaShare, MediaUpload
from media_library.models.tag import Tag, media_item_tags
from media_library.models.user import User

__all__ = [
    "Base",
    "Collection",
    "CollectionItem",
    "MediaDownload",
    "MediaExport",
    "MediaItem",
    "MediaKind",
    "MediaReview",
    "MediaShare",
    "MediaUpload",
    "Tag",
    "User",
    "Visibility",
    "media_item_tags",
]
