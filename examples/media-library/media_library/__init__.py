"""Users keep photos, videos and recordings, tagged and in collections."""
