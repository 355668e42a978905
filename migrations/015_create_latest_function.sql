-- Purpose: a function that returns the latest check of every service.
-- Date:    2026-11-23
--
-- The function goes from one service to the next in the index of 014 on
-- (service_name, checked_at DESC NULLS LAST, id DESC NULLS LAST), where each one's
-- newest check comes first: what it costs grows with the services, not with their
-- checks. One JSON value comes back, so PostgREST's db-max-rows does not cut it;
-- after_service goes on from the last name of an earlier call. A service without
-- any checked_at is left out.
--
-- It stands in the schema of the table, runs with the caller's privileges, and is
-- the service role's alone. Where there is no such role, as on a plain
-- PostgreSQL, there is nobody to give it to, and it stays everybody's: who may not
-- read the table gets nothing from it.
--
-- Forward only, safe to run again. One statement: it changes everything or
-- nothing, whoever runs it, and nothing that is as it is to be.

DO $migration$
DECLARE
    home         CONSTANT TEXT := current_schema();
    old_path     CONSTANT TEXT := current_setting('search_path');
    old_timeout  CONSTANT INTEGER := (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'); -- ms, 0 for ever
    makes_tables CONSTANT BOOLEAN := false;
    indexes      TEXT[] := '{}';
    body         TEXT;
    wrong        TEXT;
    role_name    TEXT;
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

    body := format($body$
        WITH RECURSIVE newest AS (
            (SELECT c.* FROM %1$I.service_health_checks c
             WHERE after_service IS NULL
             ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC NULLS LAST LIMIT 1)
            UNION ALL
            (SELECT c.* FROM %1$I.service_health_checks c
             WHERE c.service_name > after_service
             ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC NULLS LAST LIMIT 1)
            UNION ALL
            SELECT next.*
            FROM newest n CROSS JOIN LATERAL (
                SELECT c.* FROM %1$I.service_health_checks c
                WHERE c.service_name > n.service_name
                ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC NULLS LAST LIMIT 1
            ) next
        )
        SELECT coalesce(json_agg(latest), '[]') FROM (
            SELECT * FROM newest WHERE checked_at IS NOT NULL LIMIT max_services
        ) latest
    $body$, home);
    IF NOT EXISTS (
        SELECT FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.oid = to_regprocedure('latest_service_health_checks(TEXT, INTEGER)') AND p.prosrc = body AND l.lanname = 'sql'
            AND pg_get_function_result(p.oid) = 'json' AND p.provolatile = 's' AND NOT p.prosecdef AND p.proconfig = ARRAY['search_path=""']
            AND pg_get_function_arguments(p.oid) = 'after_service text DEFAULT NULL::text, max_services integer DEFAULT 1000'
    ) THEN
        EXECUTE format($create$
            CREATE OR REPLACE FUNCTION latest_service_health_checks(
                after_service TEXT DEFAULT NULL, max_services INTEGER DEFAULT 1000
            )
            RETURNS JSON LANGUAGE sql STABLE SECURITY INVOKER SET search_path = '' AS %L
        $create$, body);
    END IF;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
        FOR attempt IN 1..2 LOOP -- what is wrong is put right, then looked for again
            SELECT string_agg(name || CASE name WHEN 'service_role' THEN ' may not call it' ELSE ' may call it' END, '; ' ORDER BY name)
            INTO wrong
            FROM (SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') UNION ALL SELECT 'public') roles (name)
            WHERE has_function_privilege(name, 'latest_service_health_checks(TEXT, INTEGER)', 'EXECUTE') <> (name = 'service_role');
            EXIT WHEN wrong IS NULL;
            IF attempt = 2 THEN
                RAISE EXCEPTION 'function %.latest_service_health_checks: %. Run REVOKE or GRANT as the role that can, then this file again; nothing was changed', home, wrong
                    USING ERRCODE = 'invalid_grant_operation';
            END IF;
            REVOKE ALL ON FUNCTION latest_service_health_checks(TEXT, INTEGER) FROM PUBLIC;
            FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
                EXECUTE format('REVOKE ALL ON FUNCTION latest_service_health_checks(TEXT, INTEGER) FROM %I', role_name);
            END LOOP;
            GRANT EXECUTE ON FUNCTION latest_service_health_checks(TEXT, INTEGER) TO service_role;
        END LOOP;
    END IF;

    PERFORM set_config('search_path', old_path, true), set_config('lock_timeout', old_timeout::TEXT, true);
EXCEPTION WHEN insufficient_privilege OR lock_not_available THEN
    RAISE EXCEPTION '%. Nothing was changed. Run this file again %', SQLERRM, CASE SQLSTATE
        WHEN '42501' THEN format('as a role that owns the tables and schema %s', home)
        ELSE 'when nobody holds a lock on the tables for more than a second' END
        USING ERRCODE = SQLSTATE;
END
$migration$;

-- PostgREST learns of the function at once.
NOTIFY pgrst, 'reload schema';
