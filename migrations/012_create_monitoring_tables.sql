-- Purpose: tables for service monitoring: what each probe saw, and which alerts
--          were raised about it.
-- Date:    2026-02-25
--
-- DDL only, forward only, safe to run again. Row level security is enabled and
-- has no policies: the service role bypasses it, nobody else gets a row.
--
-- One statement: it changes everything or nothing, whoever runs it. It makes what
-- is missing, in the first schema of the search_path, and waits for no lock
-- longer than 1 s.

DO $migration$
DECLARE
    home         CONSTANT TEXT := current_schema();
    old_path     CONSTANT TEXT := current_setting('search_path');
    old_timeout  CONSTANT INTEGER := (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'); -- ms, 0 for ever
    makes_tables CONSTANT BOOLEAN := true;
    ddl          TEXT;
    indexes      TEXT[] := ARRAY[
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_created_at
            ON service_health_checks (created_at)',
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_created
            ON service_health_checks (service_name, created_at)',
        'CREATE INDEX IF NOT EXISTS idx_alert_events_created_at
            ON alert_events (created_at)',
        'CREATE INDEX IF NOT EXISTS idx_alert_events_status
            ON alert_events (status)',
        'CREATE INDEX IF NOT EXISTS idx_alert_events_service_status
            ON alert_events (service_name, status)'];
BEGIN
    -- Guards, the same in every file: what is not as expected ends it here, and
    -- as the file is one statement, everything stays as it was.
    DECLARE
        expected CONSTANT JSONB := '{
            "service_health_checks": {"id": "uuid NOT NULL", "service_name": "character varying(100) NOT NULL",
                "status": "text NOT NULL", "latency_ms": "integer", "checked_at": "timestamp with time zone DEFAULT",
                "error_message": "text", "probe_details": "jsonb", "created_at": "timestamp with time zone DEFAULT"},
            "alert_events": {"id": "uuid NOT NULL", "service_name": "character varying(100) NOT NULL",
                "alert_type": "text NOT NULL", "status": "text NOT NULL", "message": "text", "details": "jsonb",
                "created_at": "timestamp with time zone DEFAULT", "acknowledged_at": "timestamp with time zone",
                "resolved_at": "timestamp with time zone"}}';
        found   RECORD;
        problem TEXT;
        missing TEXT;
    BEGIN
        IF home IS NULL THEN
            RAISE EXCEPTION 'no schema of the search_path (%) is there for this role: create it, or grant USAGE on it, and run this file again; nothing was changed', old_path
                USING ERRCODE = 'invalid_schema_name';
        ELSIF to_regnamespace(quote_ident(home)) IS NULL THEN -- named by examples/migrate -schema
            EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', home);
        END IF;
        PERFORM set_config('search_path', format('%I, pg_temp', home), true);
        IF old_timeout NOT BETWEEN 1 AND 1000 THEN
            PERFORM set_config('lock_timeout', '1s', true);
        END IF;

        -- Tables of these names are these tables. Columns that others added are
        -- welcome if a row can do without them.
        FOR found IN
            SELECT t.key AS name, t.value AS columns, c.oid, c.relkind, pg_get_userbyid(c.relowner) AS owner,
                pg_has_role(c.relowner, 'USAGE') AS is_owner
            FROM jsonb_each(expected) t
            LEFT JOIN pg_class c ON c.relname = t.key AND c.relnamespace = quote_ident(home)::regnamespace
        LOOP
            IF found.oid IS NULL THEN
                missing := found.name;
                CONTINUE;
            END IF;
            SELECT string_agg(format('%s is %s, not %s', coalesce(e.key, a.name), coalesce(a.is, 'missing'),
                coalesce(e.value, 'nullable or with a default')), '; ' ORDER BY coalesce(e.key, a.name)) INTO problem
            FROM jsonb_each_text(found.columns) e
            FULL JOIN (
                SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS not_null,
                    atthasdef OR attidentity <> '' AS has_default, attgenerated <> '' AS generated,
                    format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                        || CASE WHEN attgenerated <> '' THEN ' GENERATED' WHEN atthasdef THEN ' DEFAULT' ELSE '' END AS is
                FROM pg_attribute WHERE attrelid = found.oid AND attnum > 0 AND NOT attisdropped
            ) a ON a.name = e.key
            WHERE CASE
                WHEN a.name IS NULL THEN true
                WHEN e.key IS NULL THEN a.not_null AND NOT a.has_default
                ELSE a.generated OR a.type <> regexp_replace(e.value, ' (NOT NULL|DEFAULT)$', '')
                    OR NOT CASE WHEN e.value LIKE '% DEFAULT' THEN a.has_default ELSE a.not_null = (e.value LIKE '% NOT NULL') END
            END;
            IF found.relkind NOT IN ('r', 'p') THEN
                problem := 'it is no table';
            ELSIF problem IS NULL AND found.relkind = 'r' AND NOT EXISTS (
                SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = found.oid AND a.attname = 'id' AND i.indnkeyatts = 1
                    AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
            ) THEN
                problem := 'its id is not unique';
            END IF;
            IF problem IS NOT NULL THEN
                RAISE EXCEPTION '%.% is not the table that these migrations make: %. Give it another name, or run them in another schema (docs/migrations.md); nothing was changed', home, found.name, problem
                    USING ERRCODE = 'duplicate_table';
            ELSIF NOT found.is_owner THEN
                RAISE EXCEPTION '%.% belongs to %, whose rights % does not have', home, found.name, found.owner, current_user
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
        END LOOP;
        IF missing IS NOT NULL AND NOT makes_tables THEN
            RAISE EXCEPTION 'there is no table %.%: run 012_create_monitoring_tables.sql first; nothing was changed', home, missing
                USING ERRCODE = 'undefined_table';
        END IF;

        -- Indexes of these names are on these tables, and complete. Those of 012 never
        -- had other columns, so one that has is somebody else's.
        FOR found IN
            SELECT want[1] AS name, listed.statement, want[2] || ' ' || want[3] AS wanted, i.indexrelid IS NOT NULL AND i.indrelid = to_regclass(want[2]) AND NOT i.indisunique AS plain,
                i.indisvalid AND i.indisready AND i.indislive AS valid,
                regexp_replace(pg_get_indexdef(c.oid), '^.* USING btree | WITH \([^)]*\)', '', 'g') = want[3] AS same
            FROM unnest(indexes) listed (statement)
            CROSS JOIN regexp_match(listed.statement, '(\w+)\s+ON (\w+) (\(.*\))') want
            JOIN pg_class c ON c.relname = want[1] AND c.relnamespace = quote_ident(home)::regnamespace
            LEFT JOIN pg_index i ON i.indexrelid = c.oid
        LOOP
            IF NOT found.plain OR NOT found.same AND makes_tables THEN
                RAISE EXCEPTION '%.% is not the index that these migrations make on %. Give it another name; nothing was changed', home, found.name, found.wanted
                    USING ERRCODE = 'duplicate_object';
            ELSIF NOT found.valid THEN
                RAISE EXCEPTION 'index %.% is INVALID: a concurrent build was cancelled, or still runs. Wait for it, or repair it with REINDEX INDEX CONCURRENTLY %.%, and run this file again; nothing was changed', home, found.name, quote_ident(home), found.name
                    USING ERRCODE = 'object_not_in_prerequisite_state';
            ELSIF found.same THEN
                indexes := array_remove(indexes, found.statement); -- there already
            END IF;
        END LOOP;
    END;

    CREATE TABLE IF NOT EXISTS service_health_checks (
        id            UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        service_name  VARCHAR(100) NOT NULL,
        status        TEXT NOT NULL CHECK (status IN ('healthy', 'degraded', 'down')),
        latency_ms    INTEGER,
        checked_at    TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP, -- when the probe ran
        error_message TEXT,
        probe_details JSONB,
        created_at    TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP  -- when the row was stored
    );

    CREATE TABLE IF NOT EXISTS alert_events (
        id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        service_name    VARCHAR(100) NOT NULL,
        alert_type      TEXT NOT NULL CHECK (alert_type IN ('service_down', 'service_degraded', 'recovery')),
        status          TEXT NOT NULL CHECK (status IN ('active', 'acknowledged', 'resolved')),
        message         TEXT,
        details         JSONB,
        created_at      TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
        acknowledged_at TIMESTAMP WITH TIME ZONE,
        resolved_at     TIMESTAMP WITH TIME ZONE
    );

    FOREACH ddl IN ARRAY indexes LOOP -- those that are not there
        EXECUTE ddl;
    END LOOP;

    -- Only where it is off: the lock that this takes stops readers.
    IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'service_health_checks'::regclass) THEN
        ALTER TABLE service_health_checks ENABLE ROW LEVEL SECURITY;
    END IF;
    IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'alert_events'::regclass) THEN
        ALTER TABLE alert_events ENABLE ROW LEVEL SECURITY;
    END IF;

    PERFORM set_config('search_path', old_path, true), set_config('lock_timeout', old_timeout::TEXT, true);
EXCEPTION WHEN insufficient_privilege OR lock_not_available THEN
    RAISE EXCEPTION '%. Nothing was changed. Run this file again %', SQLERRM, CASE SQLSTATE
        WHEN '42501' THEN format('as a role that owns the tables and schema %s', home)
        ELSE 'when nobody holds a lock on the tables for more than a second' END
        USING ERRCODE = SQLSTATE;
END
$migration$;
