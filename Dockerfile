# The gate with all it needs: Postgres, git, uv. GitHub's rules for container actions hold:
# the user is root, there is no WORKDIR, and the entry point is absolute.
# BuildKit is not needed. The digest is that of Python 3.13.15's index of machines; where no registry is at hand,
# `make image` builds on a local image of the same name.
FROM python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS packages

# binutils: some wheels, and some builds of Python, carry symbols that make up most of their size.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*

# First what seldom changes: the packages, by their hashes. What they bring for others is left out: other databases'
# dialects, other services' containers (and, by the lock, Rich's highlighting of source code). What speaks to Docker
# and to GitHub is compiled when it is needed.
COPY requirements.lock /opt/migration-gate/
# hadolint ignore=DL3003
RUN python -m venv --without-pip /opt/migration-gate \
    && pip --python /opt/migration-gate install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
        --no-compile --only-binary :all: --requirement /opt/migration-gate/requirements.lock \
    && cd /opt/migration-gate/lib/python3.13/site-packages \
    && find sqlalchemy yaml wrapt charset_normalizer markupsafe -name '*.so' -exec strip --strip-unneeded {} + \
    && rm -rf sqlalchemy/testing sqlalchemy/dialects/mssql sqlalchemy/dialects/mysql sqlalchemy/dialects/oracle \
        alembic/testing alembic/templates pydantic/v1 uv-*.dist-info/sboms /opt/migration-gate/bin/uvx \
    && find testcontainers -mindepth 1 -maxdepth 1 ! -name core ! -name compose ! -name __init__.py -exec rm -rf {} +

# (hashed, not dated: a checkout's times would be those of the clone)
COPY . /opt/migration-gate/src/
RUN pip --python /opt/migration-gate install --no-cache-dir --disable-pip-version-check --no-compile --no-deps \
        --no-build-isolation /opt/migration-gate/src \
    && pip --python /opt/migration-gate uninstall --quiet --yes hatchling pluggy trove-classifiers tomlkit \
    && rm -rf /opt/migration-gate/src \
    && /opt/migration-gate/bin/python -m compileall -q --invalidation-mode unchecked-hash \
        -x 'site-packages/(docker|testcontainers|wrapt|requests|urllib3|charset_normalizer|idna|pygments)/' \
        /opt/migration-gate/lib \
    && find /usr/local/lib -name '*.so*' -type f -exec strip --strip-unneeded {} +


FROM python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS system

# The one that Debian trixie carries. Others are fetched when they are asked for: migration_gate/postgres/server_package.py.
ARG PG_MAJOR=17

ENV LANG=C.UTF-8 MIGRATION_GATE_IMAGE=1

# Two accounts: the server's, and the one whose rights the project's code has. Their numbers are fixed and high: on the
# runner they must be nobody's, and above all not those of the group that may open Docker's socket.
RUN groupadd --gid 64001 postgres \
    && useradd --uid 64001 --gid 64001 --home-dir /var/lib/postgresql --shell /usr/sbin/nologin postgres \
    && groupadd --gid 64002 migration-gate \
    && useradd --uid 64002 --gid 64002 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin migration-gate

# contrib is part of Debian's server package. A cluster made at installation would be one too many. Taken out are
# Postgres' JIT compiler, which is half its size; the translations; Perl's library, which only Debian's wrappers of the
# client programs and a few rare git commands need: the programs themselves take the wrappers' places; the programs
# of git that serve, mail and push by http; those of Postgres that copy, upgrade and measure clusters; and the C
# library's conversions of other alphabets, as Postgres and Python have their own.
# hadolint ignore=DL3003,DL3008
RUN mkdir -p /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git tini "postgresql-${PG_MAJOR}" \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
        /usr/lib/*/libLLVM* /usr/lib/*/libz3.so* /usr/share/i18n /usr/share/locale/*/LC_MESSAGES \
        "/usr/lib/postgresql/${PG_MAJOR}/lib/bitcode" "/usr/lib/postgresql/${PG_MAJOR}/lib"/llvmjit* \
        /usr/share/perl /usr/share/perl5 /usr/lib/*/perl /usr/lib/*/perl-base/unicore /usr/lib/*/libperl.so* \
        /usr/share/bash-completion /usr/share/gitweb /usr/bin/scalar /usr/bin/git-shell \
        /usr/lib/*/gconv/[A-HJ-TV-Z]* /usr/lib/*/gconv/lib* /usr/bin/tini-static /usr/share/doc/*/changelog* \
    && cd /usr/lib/git-core \
    && rm -f scalar git-shell git-daemon git-http-backend git-http-fetch git-http-push git-imap-send git-instaweb \
        git-sh-i18n--envsubst git-subtree git-add--interactive \
    && ln -sf ../../bin/git git \
    && cd "/usr/lib/postgresql/${PG_MAJOR}/bin" \
    && rm -rf pgbench pg_amcheck pg_archivecleanup pg_basebackup pg_checksums pg_combinebackup pg_createsubscriber \
        pg_receivewal pg_recvlogical pg_rewind pg_test_fsync pg_test_timing pg_upgrade pg_verifybackup pg_waldump \
        pg_walsummary vacuumlo oid2name "/usr/share/postgresql/${PG_MAJOR}/man" \
    && ln -sf "$PWD"/* /usr/bin/ \
    && psql --version && git --version \
    && postgres --version

COPY --from=packages /opt/migration-gate /opt/migration-gate
COPY --from=packages /usr/local/lib /usr/local/lib
# Isolated (-I): nothing of the checkout and no PYTHON* variable of the job is imported by the gate itself, which is root.
# (And what was left out above is not missed.)
RUN printf '%s\n' '#!/opt/migration-gate/bin/python -Iu' 'from migration_gate.__main__ import main' 'main()' \
        > /opt/migration-gate/bin/migration-gate \
    && ln -s /opt/migration-gate/bin/uv /opt/migration-gate/bin/migration-gate /usr/local/bin/ \
    && /opt/migration-gate/bin/migration-gate --version \
    && /opt/migration-gate/bin/python -B -m migration_gate.postgres.image_cluster "/usr/lib/postgresql/${PG_MAJOR}/bin" \
    && /opt/migration-gate/bin/python -B -c 'import alembic.autogenerate.render, rich.live, sqlalchemy.dialects.postgresql, \
        testcontainers.core.container, migration_gate.entrypoint'

# Nothing in the image gains rights: the gate is root, and whatever it starts has fewer. (And pip is in no use: the
# project's packages are installed by uv, into an environment of their own; nor are the tests of Python's own C code, and
# what only those read who build packages of Debian.)
# hadolint ignore=DL3003
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && cd /usr/local/lib/python3.13 \
    && rm -rf site-packages/pip* /usr/local/bin/pip* /usr/local/include ensurepip test idlelib config-* tkinter \
        turtledemo pydoc_data lib-dynload/_test*.so lib-dynload/_ctypes_test*.so lib-dynload/_xxtestfuzz*.so \
        /var/lib/dpkg/info/*.symbols



# In one layer: what was taken out of the base takes no room.
FROM scratch

LABEL org.opencontainers.image.title="Migration Gate" \
      org.opencontainers.image.description="Replays every Alembic migration on an ephemeral Postgres and blocks the merge on drift." \
      org.opencontainers.image.source="https://github.com/migration-gate/migration-gate" \
      org.opencontainers.image.licenses="Apache-2.0"

ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    MIGRATION_GATE_IMAGE=1

# hadolint ignore=DL3067
COPY --from=system / /

# The kernel keeps signals from the first process of a container until it handles them, which takes Python 0.1 s: tini
# does from its first instant, and a gate that is not the first process just ends until it has something to clean up.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "/opt/migration-gate/bin/migration-gate"]
CMD ["check"]
