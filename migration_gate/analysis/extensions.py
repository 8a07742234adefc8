"""What Postgres extensions provide, and images and packages with those that the official image lacks."""

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
    "sparsevec": "vector",
    "create_hypertable": "timescaledb",
    "time_bucket": "timescaledb",
    "add_retention_policy": "timescaledb",
    "add_compression_policy": "timescaledb",
    "show_limit": "pg_trgm",
    "st_geomfromtext": "postgis",
    "st_makepoint": "postgis",
    "st_setsrid": "postgis",
    "st_transform": "postgis",
    "crosstab": "tablefunc",
    "box2d": "postgis",
    **{
        language: language
        for language in (
            *("plperl", "plperlu", "plpython3u", "pltcl", "pltclu", "plv8", "plr", "pljava", "pllua", "plsh"),
        )
    },
}
"""the extension that provides a type, function, operator class, access method or language"""
IMAGE_WITH = {
    "vector": "pgvector/pgvector:pg{major}",
    "postgis": "postgis/postgis:{major}-3.5",
    "postgis_raster": "postgis/postgis:{major}-3.5",
    "postgis_topology": "postgis/postgis:{major}-3.5",
    "timescaledb": "timescale/timescaledb:latest-pg{major}",
}
"""an image for each extension that the official one lacks; `{major}` is the version of Postgres"""
CONTRIB = frozenset(
    {
        *("bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "earthdistance", "fuzzystrmatch"),
        *("hstore", "intarray", "isn", "lo", "ltree", "pg_stat_statements", "pg_trgm", "pgcrypto"),
        *("postgres_fdw", "seg", "tablefunc", "tcn", "unaccent", "uuid-ossp", "xml2"),
    }
)
"""come with PostgreSQL itself, as its package `contrib`, which a small installation may lack"""
OFFICIAL_IMAGE = "postgres:{major}"
"""has everything of contrib"""
DEBIAN_PACKAGES = {
    **{
        name: f"postgresql-{{major}}-{name.replace('_', '-')}"
        for name in (
            *("asn1oid", "debversion", "extra_window_functions", "first_last_agg", "hll", "hypopg"),
            *(
                "icu_ext",
                "ip4r",
                "jsquery",
                "mysql_fdw",
                "numeral",
                "ogr_fdw",
                "orafce",
                "periods",
                "pgfincore",
            ),
            *("pgmp", "pgpcre", "pgq_node", "pgrouting", "pgtap", "pldebugger", "pllua", "plpgsql_check"),
            *("plproxy", "plr", "plsh", "pointcloud", "prefix", "prioritize", "q3c", "rational", "rdkit"),
            *("rum", "semver", "set_user", "tablelog", "tdigest", "tds_fdw", "toastinfo", "unit"),
        )
    },
    **{
        f"pg_{name}": f"postgresql-{{major}}-{name}"
        for name in ("dirtyread", "partman", "repack", "similarity")
    },
    "pg_sphere": "postgresql-{major}-pgsphere",
    "plperl": "postgresql-plperl-{major}",
    "plperlu": "postgresql-plperl-{major}",
    "plpython3u": "postgresql-plpython3-{major}",
    "pltcl": "postgresql-pltcl-{major}",
    "pltclu": "postgresql-pltcl-{major}",
}
"""the package of Debian (and of PostgreSQL's own archive for it) that has an extension"""
PRELOADED = frozenset({
    "citus", "pg_cron", "pg_net", "pg_qualstats", "pg_squeeze", "pg_stat_kcache", "pg_wait_sampling",
    "pgaudit", "pgauditlogtofile", "pglogical", "pgsodium", "supautils",
})  # fmt: skip
"""work only on a server that loads them when it starts"""
