-- Purpose: privileges on the monitoring tables: for the service role what its
--          programs need, for everybody else nothing.
-- Date:    2026-11-23
--
-- Older Supabase projects granted everything on new tables to anon,
-- authenticated and service_role; since 2026-10-30 new tables have no grants at
-- all. Both become the same. Roles that do not exist, as on a plain PostgreSQL,
-- are passed over. In a schema of its own, the service role gets USAGE there.
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
    wrong        TEXT;
    stuck        BOOLEAN;
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

    -- What is wrong is put right, then looked for again: REVOKE passes over what
    -- another role than the owner granted, and over what comes with a membership.
    FOR attempt IN 1..2 LOOP
        WITH roles AS (
            SELECT oid, rolname::TEXT AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
            UNION ALL SELECT 0, 'PUBLIC'
        ), tables AS (
            SELECT oid, oid::regclass AS name, relowner AS owner, coalesce(relacl, acldefault('r', relowner)) AS acl
            FROM pg_class WHERE oid IN ('service_health_checks'::regclass, 'alert_events'::regclass)
        ), grants AS (
            SELECT t.oid, t.name::TEXT AS what, t.owner, a.* FROM tables t CROSS JOIN aclexplode(t.acl) a
            UNION ALL
            SELECT NULL, format('%s.%I', t.name, c.attname), t.owner, a.*
            FROM tables t JOIN pg_attribute c ON c.attrelid = t.oid CROSS JOIN aclexplode(c.attacl) a
        ), needs AS (
            SELECT r.oid AS role, t.oid, t.name::TEXT AS what, privilege
            FROM roles r CROSS JOIN tables t CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege
            WHERE r.name = 'service_role'
        ), problems AS (
            SELECT format('%s has %s on %s, granted by %s%s', r.name, string_agg(g.privilege_type, ', '), g.what, pg_get_userbyid(g.grantor),
                    CASE WHEN g.grantee NOT IN (0, r.oid) THEN ' to ' || pg_get_userbyid(g.grantee) END) AS problem,
                g.grantee <> r.oid OR g.grantor <> g.owner AS stuck
            FROM roles r JOIN grants g
                ON g.grantee = r.oid OR g.grantor = r.oid AND r.oid <> g.owner
                OR r.name IN ('anon', 'authenticated') AND g.grantee <> 0 AND pg_has_role(r.oid, g.grantee, 'USAGE')
            WHERE g.grantor <> g.owner OR g.is_grantable AND g.grantee <> g.owner
                OR NOT EXISTS (SELECT FROM needs n WHERE n.role = r.oid AND n.oid = g.oid AND n.privilege = g.privilege_type)
            GROUP BY r.name, r.oid, g.what, g.grantor, g.grantee, g.owner
            UNION ALL
            SELECT format('service_role lacks %s on %s', string_agg(n.privilege, ', '), n.what), false
            FROM needs n
            WHERE NOT EXISTS (SELECT FROM grants g WHERE g.grantee = n.role AND g.oid = n.oid AND g.privilege_type = n.privilege)
            GROUP BY n.what
            UNION ALL
            SELECT format('service_role lacks USAGE on schema %s', home), false
            FROM roles WHERE name = 'service_role' AND NOT has_schema_privilege(oid, home, 'USAGE')
        )
        SELECT string_agg(p.problem, '; ' ORDER BY p.problem), bool_or(p.stuck) INTO wrong, stuck FROM problems p;
        EXIT WHEN wrong IS NULL;
        IF stuck OR attempt = 2 THEN
            RAISE EXCEPTION '%: run REVOKE or GRANT as the role that can, then this file again; nothing was changed', wrong
                USING ERRCODE = 'invalid_grant_operation';
        END IF;
        REVOKE ALL ON TABLE service_health_checks, alert_events FROM PUBLIC;
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
            EXECUTE format('REVOKE ALL ON TABLE service_health_checks, alert_events FROM %I', role_name);
            IF role_name = 'service_role' THEN
                GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE service_health_checks, alert_events TO service_role;
                IF NOT has_schema_privilege(role_name, home, 'USAGE') THEN
                    EXECUTE format('GRANT USAGE ON SCHEMA %I TO service_role', home);
                END IF;
            END IF;
        END LOOP;
    END LOOP;

    PERFORM set_config('search_path', old_path, true), set_config('lock_timeout', old_timeout::TEXT, true);
EXCEPTION WHEN insufficient_privilege OR lock_not_available THEN
    RAISE EXCEPTION '%. Nothing was changed. Run this file again %', SQLERRM, CASE SQLSTATE
        WHEN '42501' THEN format('as a role that owns the tables and schema %s', home)
        ELSE 'when nobody holds a lock on the tables for more than a second' END
        USING ERRCODE = SQLSTATE;
END
$migration$;

-- PostgREST reads the new tables and privileges at once.
NOTIFY pgrst, 'reload schema';
