"""What Postgres extensions provide, and images with those that the official image lacks."""

from __future__ import annotations

EXTENSION_OF = {
    "citext": "citext",
    "cube": "cube",
    "geography": "postgis",
    "geometry": "postgis",
    "halfvec": "vector",
    "hstore": "hstore",
    "ltree": "ltree",
    "raster": "postgis_raster",
    "vector": "vector",
    "armor": "pgcrypto",
    "crypt": "pgcrypto",
    "digest": "pgcrypto",
    "gen_random_bytes": "pgcrypto",
    "gen_random_uuid": "pgcrypto",
    "gen_salt": "pgcrypto",
    "hmac": "pgcrypto",
    "pgp_sym_encrypt": "pgcrypto",
    "earth_distance": "earthdistance",
    "levenshtein": "fuzzystrmatch",
    "metaphone": "fuzzystrmatch",
    "similarity": "pg_trgm",
    "soundex": "fuzzystrmatch",
    "unaccent": "unaccent",
    "uuid_generate_v1": "uuid-ossp",
    "uuid_generate_v1mc": "uuid-ossp",
    "uuid_generate_v4": "uuid-ossp",
    "word_similarity": "pg_trgm",
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "vector_cosine_ops": "vector",
    "vector_ip_ops": "vector",
    "vector_l2_ops": "vector",
    "hnsw": "vector",
    "ivfflat": "vector",
}
"""the extension that provides a type, function, operator class or access method"""
IMAGE_WITH = {
    "vector": "pgvector/pgvector:pg{major}",
    "postgis": "postgis/postgis:{major}-3.5",
    "postgis_raster": "postgis/postgis:{major}-3.5",
    "postgis_topology": "postgis/postgis:{major}-3.5",
    "timescaledb": "timescale/timescaledb:latest-pg{major}",
}
"""an image for each extension that the official one lacks; `{major}` is the version of Postgres"""
