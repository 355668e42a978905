-- Purpose: indexes for the queries as the models send them, beside those of 012.
-- Date:    2026-11-23
--
-- CREATE INDEX keeps writers out while it runs. Where the tables are in use and
-- large, make the same indexes first with CREATE INDEX CONCURRENTLY, each
-- outside a transaction; this file then finds them there.
--
-- Queries about some rows of many, such as a service's, order by DESC NULLS LAST,
-- which only the indexes below serve: for DESC alone PostgreSQL may prefer the
-- index on created_at and walk through all the other rows.
--
-- The list of all services and retention are served by 012's indexes on
-- created_at. Nothing needs three others of 012's from here on, though PostgreSQL
-- may combine them with these: idx_service_health_checks_service_created,
-- idx_alert_events_status and idx_alert_events_service_status. They stay, since
-- others may use them.
--
-- Forward only, safe to run again.

-- The latest check of a service.
CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_checked_desc
    ON service_health_checks (service_name, checked_at DESC NULLS LAST);
-- The checks of a service, newest first.
CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_created_desc
    ON service_health_checks (service_name, created_at DESC NULLS LAST);

-- Active alerts, newest first, of all services and of one.
CREATE INDEX IF NOT EXISTS idx_alert_events_status_created_desc
    ON alert_events (status, created_at DESC NULLS LAST);
CREATE INDEX IF NOT EXISTS idx_alert_events_service_status_created_desc
    ON alert_events (service_name, status, created_at DESC NULLS LAST);

-- The most recent alert of a service and type.
CREATE INDEX IF NOT EXISTS idx_alert_events_service_type_created_desc
    ON alert_events (service_name, alert_type, created_at DESC NULLS LAST);
