-- Purpose: privileges on the monitoring tables: for the service role what its
--          programs need, for everybody else nothing.
-- Date:    2026-11-23
--
-- Older Supabase projects granted everything on new tables to anon,
-- authenticated and service_role; since 2026-10-30 new tables have no grants at
-- all. Both become the same. Roles that do not exist, as on a plain PostgreSQL,
-- are passed over. Forward only, safe to run again.

DO $$
DECLARE
    role_name TEXT;
BEGIN
    REVOKE ALL ON TABLE service_health_checks, alert_events FROM PUBLIC;
    FOREACH role_name IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('REVOKE ALL ON TABLE service_health_checks, alert_events FROM %I', role_name);
        END IF;
    END LOOP;
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE service_health_checks, alert_events TO service_role;
    END IF;
END
$$;

-- PostgREST reads the new tables and privileges at once.
NOTIFY pgrst, 'reload schema';
