"""PostgreSQL: tables, queries, migrations and field encryption."""
