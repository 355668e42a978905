-- Purpose: a function that returns the latest check of every service, and an
--          index for lists by status.
-- Date:    2026-11-23
--
-- The function goes from one service to the next in the index of 014 on
-- (service_name, checked_at DESC NULLS LAST), where each one's newest check comes
-- first: what it costs grows with the services, not with their checks. One JSON
-- value comes back, so PostgREST's db-max-rows does not cut it; after_service
-- goes on from the last name of an earlier call. A service without any checked_at
-- is left out.
--
-- It stands in the schema of the table, runs with the caller's privileges, and is
-- the service role's alone. Where there is no such role, as on a plain
-- PostgreSQL, there is nobody to give it to, and it stays everybody's: who may not
-- read the table gets nothing from it.
--
-- CREATE INDEX keeps writers out while it runs. Where the table is in use and
-- large, make the same index first with CREATE INDEX CONCURRENTLY.
--
-- Forward only, safe to run again.

DO $$
DECLARE
    home      TEXT;
    role_name TEXT;
BEGIN
    SELECT n.nspname INTO home
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = 'service_health_checks'::regclass;

    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.latest_service_health_checks(
            after_service TEXT DEFAULT NULL, max_services INTEGER DEFAULT 1000
        )
        RETURNS JSON
        LANGUAGE sql STABLE SECURITY INVOKER
        SET search_path = ''
        AS $body$
            WITH RECURSIVE newest AS (
                (SELECT c.* FROM %1$I.service_health_checks c
                 WHERE after_service IS NULL
                 ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC LIMIT 1)
                UNION ALL
                (SELECT c.* FROM %1$I.service_health_checks c
                 WHERE c.service_name > after_service
                 ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC LIMIT 1)
                UNION ALL
                SELECT next.*
                FROM newest n CROSS JOIN LATERAL (
                    SELECT c.* FROM %1$I.service_health_checks c
                    WHERE c.service_name > n.service_name
                    ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC LIMIT 1
                ) next
            )
            SELECT coalesce(json_agg(latest), '[]') FROM (
                SELECT * FROM newest WHERE checked_at IS NOT NULL LIMIT max_services
            ) latest
        $body$
    $create$, home);

    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        EXECUTE format('REVOKE ALL ON FUNCTION %I.latest_service_health_checks(TEXT, INTEGER) FROM PUBLIC', home);
        FOREACH role_name IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
            IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
                EXECUTE format('REVOKE ALL ON FUNCTION %I.latest_service_health_checks(TEXT, INTEGER) FROM %I', home, role_name);
            END IF;
        END LOOP;
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I.latest_service_health_checks(TEXT, INTEGER) TO service_role', home);
    END IF;
END
$$;

-- The checks of one status, newest first, of all services.
CREATE INDEX IF NOT EXISTS idx_service_health_checks_status_created_desc
    ON service_health_checks (status, created_at DESC NULLS LAST);

-- PostgREST learns of the function at once.
NOTIFY pgrst, 'reload schema';
