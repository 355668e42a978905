-- Purpose: tables for service monitoring: what each probe saw, and which alerts
--          were raised about it.
-- Date:    2026-02-25
--
-- DDL only, forward only, safe to run again. Row level security is enabled and
-- has no policies: the service role bypasses it, nobody else gets a row.

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

CREATE INDEX IF NOT EXISTS idx_service_health_checks_created_at
    ON service_health_checks (created_at);
CREATE INDEX IF NOT EXISTS idx_service_health_checks_service_created
    ON service_health_checks (service_name, created_at);

ALTER TABLE service_health_checks ENABLE ROW LEVEL SECURITY;

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

CREATE INDEX IF NOT EXISTS idx_alert_events_created_at
    ON alert_events (created_at);
CREATE INDEX IF NOT EXISTS idx_alert_events_status
    ON alert_events (status);
CREATE INDEX IF NOT EXISTS idx_alert_events_service_status
    ON alert_events (service_name, status);

ALTER TABLE alert_events ENABLE ROW LEVEL SECURITY;
