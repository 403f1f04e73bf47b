#!/bin/sh
# Brings Temporal's two databases to the schema of this server version; a second run changes nothing.
set -eu

bring_up() {
    database=$1
    versioned=/etc/temporal/schema/postgresql/v12/$2/versioned
    tool="temporal-sql-tool --plugin postgres12 --ep $POSTGRES_SEEDS -p $DB_PORT -u $POSTGRES_USER --db $database"
    # Setting up again would reset the version of a database in use, so an update is tried first.
    if ! $tool update-schema -d "$versioned"; then
        $tool setup-schema -v 0.0
        $tool update-schema -d "$versioned"
    fi
}

bring_up temporal temporal
bring_up temporal_visibility visibility
