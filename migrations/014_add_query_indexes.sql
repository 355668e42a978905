-- Purpose: indexes for the queries as the models send them, beside those of 012.
-- Date:    2026-11-23
--
-- CREATE INDEX keeps writers out while it runs. Where the tables are in use and
-- large, make the same indexes first with CREATE INDEX CONCURRENTLY, as
-- docs/migrations.md shows; this file then finds them there.
--
-- Queries about some rows of many, such as a service's, order by DESC NULLS LAST,
-- which only the indexes below serve: for DESC alone PostgreSQL may prefer the
-- index on created_at and walk through all the other rows. They end in the id, as
-- the order does, so that rows of one time are never sorted.
--
-- Each index is written at every insert, so there is none that no query needs: the
-- checks, of which there are many, have five of these; alerts are few. The lists of
-- all services and retention are served by 012's indexes on created_at. Three
-- others of 012's are not needed from here on, and stay, since others may use them:
-- idx_service_health_checks_service_created, idx_alert_events_status and
-- idx_alert_events_service_status.
--
-- Forward only, safe to run again. One statement: it changes everything or
-- nothing, whoever runs it. An index of one of these names with other columns is
-- replaced; one that is there stays, without a lock.

DO $migration$
DECLARE
    home         CONSTANT TEXT := current_schema();
    old_path     CONSTANT TEXT := current_setting('search_path');
    old_timeout  CONSTANT INTEGER := (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'); -- ms, 0 for ever
    makes_tables CONSTANT BOOLEAN := false;
    ddl          TEXT;
    name         TEXT;
    indexes      TEXT[] := ARRAY[
        -- The latest check of a service, and of every one (015); a service's checks by
        -- checked_at.
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_checked_desc
            ON service_health_checks (service_name, checked_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The checks of a service, newest first.
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_created_desc
            ON service_health_checks (service_name, created_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The checks of one status: the few that are down, among all.
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_status_created_desc
            ON service_health_checks (status, created_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The same by checked_at.
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_status_checked_desc
            ON service_health_checks (status, checked_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The checks of all services by checked_at, which say NULLS FIRST, as lists of
        -- all do.
        'CREATE INDEX IF NOT EXISTS idx_service_health_checks_checked_desc
            ON service_health_checks (checked_at DESC, id DESC)',
        -- The active alerts, among all.
        'CREATE INDEX IF NOT EXISTS idx_alert_events_status_created_desc
            ON alert_events (status, created_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The active alerts of a service.
        'CREATE INDEX IF NOT EXISTS idx_alert_events_service_status_created_desc
            ON alert_events (service_name, status, created_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The most recent alert of a service and type.
        'CREATE INDEX IF NOT EXISTS idx_alert_events_service_type_created_desc
            ON alert_events (service_name, alert_type, created_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The alerts of a service.
        'CREATE INDEX IF NOT EXISTS idx_alert_events_service_created_desc
            ON alert_events (service_name, created_at DESC NULLS LAST, id DESC NULLS LAST)',
        -- The alerts of a type.
        'CREATE INDEX IF NOT EXISTS idx_alert_events_type_created_desc
            ON alert_events (alert_type, created_at DESC NULLS LAST, id DESC NULLS LAST)'];
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

    FOREACH ddl IN ARRAY indexes LOOP -- those that are not there, or with other columns
        name := substring(ddl FROM 'EXISTS (\w+)');
        IF to_regclass(name) IS NOT NULL THEN
            EXECUTE format('DROP INDEX %I', name);
        END IF;
        EXECUTE ddl;
    END LOOP;

    PERFORM set_config('search_path', old_path, true), set_config('lock_timeout', old_timeout::TEXT, true);
EXCEPTION WHEN insufficient_privilege OR lock_not_available THEN
    RAISE EXCEPTION '%. Nothing was changed. Run this file again %', SQLERRM, CASE SQLSTATE
        WHEN '42501' THEN format('as a role that owns the tables and schema %s', home)
        ELSE 'when nobody holds a lock on the tables for more than a second' END
        USING ERRCODE = SQLSTATE;
END
$migration$;
