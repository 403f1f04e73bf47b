-- The register of the other sides of the comparison (bench/compare/sql.py).
-- The permit's term as the stand-in authority gives it is stored as it comes.
CREATE TABLE data_keys (key_id uuid PRIMARY KEY, kek_id text NOT NULL, wrapped bytea);
CREATE TABLE cases (
    reference text PRIMARY KEY, employer_id text NOT NULL, person_hash bytea NOT NULL, key_id uuid NOT NULL
    REFERENCES data_keys, body bytea NOT NULL, stage text NOT NULL, round int NOT NULL, number text,
    policy_version text NOT NULL, accepted_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    live boolean GENERATED ALWAYS AS (stage NOT IN ('refused', 'lapsed', 'withdrawn', 'ended')) STORED);
CREATE UNIQUE INDEX uq_live_person ON cases (person_hash) WHERE live;
CREATE TABLE idempotency (
    subject text, key text, body_hash bytea NOT NULL, answer bytea, at timestamptz NOT NULL,
    PRIMARY KEY (subject, key));
CREATE TABLE commands (
    command_id uuid PRIMARY KEY, reference text NOT NULL REFERENCES cases, kind text NOT NULL, body jsonb,
    state text NOT NULL, at timestamptz NOT NULL, applied_at timestamptz);
CREATE INDEX ix_commands_stored ON commands (at) WHERE state = 'stored';
CREATE TABLE assessments (
    reference text PRIMARY KEY REFERENCES cases, outcome text NOT NULL, findings jsonb NOT NULL,
    facts bytea NOT NULL, at timestamptz NOT NULL);
CREATE TABLE tasks (
    task_id uuid PRIMARY KEY, reference text NOT NULL REFERENCES cases, kind text NOT NULL, state text NOT NULL,
    opened_at timestamptz NOT NULL, closed_at timestamptz);
CREATE INDEX ix_tasks_open ON tasks (reference) WHERE state = 'open';
CREATE TABLE permits (
    reference text REFERENCES cases, destination text, stage text NOT NULL, authority_number text,
    valid_from date, valid_until date, stay_days int, updated_at timestamptz NOT NULL,
    PRIMARY KEY (reference, destination));
CREATE TABLE answers (
    outcome_id text PRIMARY KEY, reference text NOT NULL, destination text NOT NULL, outcome text NOT NULL,
    body jsonb NOT NULL, at timestamptz NOT NULL);
CREATE TABLE notices (
    notice_id uuid PRIMARY KEY, reference text NOT NULL REFERENCES cases, destination text NOT NULL,
    kind text NOT NULL, recipient text NOT NULL, key_id uuid NOT NULL, address bytea NOT NULL, body bytea NOT NULL,
    status text NOT NULL, at timestamptz NOT NULL, settled_at timestamptz,
    UNIQUE (reference, kind, recipient, destination));
CREATE INDEX ix_notices_queued ON notices (reference) WHERE status = 'queued';
CREATE TABLE ledger (
    chain text, seq int, act text NOT NULL, detail jsonb NOT NULL, at timestamptz NOT NULL, previous bytea NOT NULL,
    hash bytea NOT NULL, PRIMARY KEY (chain, seq));
CREATE SEQUENCE registration_numbers;
