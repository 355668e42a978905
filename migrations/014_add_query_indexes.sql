-- Purpose: indexes for the queries as the models send them, beside those of 012.
-- Date:    2026-11-23
--
-- CREATE INDEX keeps writers out while it runs. Where the tables are in use and
-- large, make the same indexes first with CREATE INDEX CONCURRENTLY, each
-- outside a transaction; this file then finds them there.
--
-- Lists (created_at), lists of a service (service_name, created_at) and
-- retention (created_at) are served by 012's indexes. With the indexes below,
-- two of 012's are idle: idx_alert_events_status and
-- idx_alert_events_service_status. They stay, since others may use them.
--
-- Forward only, safe to run again.

-- The latest check of a service.
CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_checked
    ON service_health_checks (service_name, checked_at);

-- Active alerts, newest first, of all services and of one.
CREATE INDEX IF NOT EXISTS idx_alert_events_status_created
    ON alert_events (status, created_at);
CREATE INDEX IF NOT EXISTS idx_alert_events_service_status_created
    ON alert_events (service_name, status, created_at);

-- The most recent alert of a service and type.
CREATE INDEX IF NOT EXISTS idx_alert_events_service_type_created
    ON alert_events (service_name, alert_type, created_at);
