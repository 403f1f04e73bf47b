#!/bin/sh
# The role that backups are taken as, and leave for it to come in. Run by the postgres image on an empty data directory;
# on one that is in use by `docker compose exec postgres sh /docker-entrypoint-initdb.d/backup.sh`, as often as you like.
set -eu

if [ -z "${HETAO_BACKUP_PASSWORD:-}" ]; then
    echo "backup.sh: HETAO_BACKUP_PASSWORD is not set: no role for backups was made."
    exit 0
fi

# The networks of this container only: no port of the server is published.
line="host replication hetao_backup samenet scram-sha-256"
grep -qxF "$line" "$PGDATA/pg_hba.conf" || echo "$line" >>"$PGDATA/pg_hba.conf"

psql --username "$POSTGRES_USER" --dbname postgres --no-psqlrc --set ON_ERROR_STOP=1 \
    --set backup_password="$HETAO_BACKUP_PASSWORD" <<'SQL'
SELECT 'CREATE ROLE hetao_backup' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hetao_backup') \gexec
ALTER ROLE hetao_backup LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS
    PASSWORD :'backup_password';
SELECT pg_reload_conf();
SQL
