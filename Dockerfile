# The gate with all it needs: Postgres, git, uv. GitHub's rules for container actions hold:
# the user is root, there is no WORKDIR, and the entry point is absolute.
# BuildKit is not needed.
#
# The tag stands here until the first release, whose workflow puts the digest behind it.
FROM python:3.13-slim-bookworm

LABEL org.opencontainers.image.title="Migration Gate" \
      org.opencontainers.image.description="Replays every Alembic migration on an ephemeral Postgres and blocks the merge on drift." \
      org.opencontainers.image.licenses="Apache-2.0"

# Debian bookworm carries 15; another one needs PostgreSQL's own package source in the base image.
ARG PG_MAJOR=15

ENV LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1

# contrib is part of Debian's server package. A cluster made at installation would be one too many. Taken out are
# Postgres' JIT compiler, which is half its size; the translations; and Perl's library, which only Debian's wrappers
# of the client programs and a few rare git commands need: the programs themselves take the wrappers' places.
# hadolint ignore=DL3008
RUN mkdir -p /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git "postgresql-${PG_MAJOR}" \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
        /usr/lib/*/libLLVM* /usr/lib/*/libz3.so* /usr/share/i18n /usr/share/locale/*/LC_MESSAGES \
        "/usr/lib/postgresql/${PG_MAJOR}/lib/bitcode" "/usr/lib/postgresql/${PG_MAJOR}/lib"/llvmjit* \
        /usr/share/perl /usr/lib/*/perl /usr/lib/*/libperl.so* \
    && ln -sf "/usr/lib/postgresql/${PG_MAJOR}/bin"/* /usr/bin/ \
    && psql --version && git --version \
    && postgres --version

# Whose rights the project's code has: not the server's, and not root's.
RUN useradd --system --no-create-home --shell /usr/sbin/nologin migration-gate

# First what seldom changes: the packages, by their hashes.
COPY requirements.lock /opt/migration-gate/
RUN python -m venv --without-pip /opt/migration-gate \
    && pip --python /opt/migration-gate install --no-cache-dir --disable-pip-version-check --require-hashes \
        --only-binary :all: --requirement /opt/migration-gate/requirements.lock \
    && ln -s /opt/migration-gate/bin/uv /usr/local/bin/uv

COPY . /opt/migration-gate/src/
RUN pip --python /opt/migration-gate install --no-cache-dir --disable-pip-version-check --no-deps \
        --no-build-isolation /opt/migration-gate/src \
    && pip --python /opt/migration-gate uninstall --quiet --yes hatchling pluggy trove-classifiers tomlkit \
    && rm -rf /opt/migration-gate/src \
    && /opt/migration-gate/bin/python -m compileall -q /opt/migration-gate/lib

ENTRYPOINT ["/opt/migration-gate/bin/migration-gate"]
CMD ["check"]
