-- Supabase's roles, and who may become whom. There are no default privileges:
-- what a new table grants, its migration says.
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated, service_role TO authenticator;

-- service_role has no limit of its own there: authenticator's holds for it.
ALTER ROLE anon SET statement_timeout = '3s';
ALTER ROLE authenticated SET statement_timeout = '8s';
ALTER ROLE authenticator SET lock_timeout = '8s';

GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
