-- Purpose: alerts that many programs raise: one open alert for each key, a history
--          of every alert, and notifications that are claimed before they are sent.
-- Date:    2026-11-25
--
-- alert_events gains dedup_key, and an index that lets one alert of a service and
-- key be open (active or acknowledged). Alerts without a key, as all have that are
-- there, are not bound by it: no row is changed or refused.
--
--   alert_transitions    who changed an alert's status, when and why. A trigger
--                        writes it, for every program's inserts and updates;
--                        nobody but the owner can. Its order is that of id.
--   alert_notifications  one row for each alert that has a key: what people are to
--                        be told of it next, and which claim is about to tell it.
--   alert_requests       the calls of a day, so that a repeated one is known.
--
-- A call carries an id of its own, and may be repeated with it: it then says again
-- what the first one did. Two that run at once wait for each other at that id.
-- Every function locks requests before notifications and alerts before
-- notifications, so none waits for another in a circle. PT409, which they raise for
-- a conflict, is HTTP 409 at PostgREST; a JSON null says that there is no such row.
--
-- All of it stands in the schema of alert_events and runs with its caller's
-- privileges, but for the trigger, and is the service role's alone. Where there is
-- no such role, as on a plain PostgreSQL, the functions stay everybody's: who may
-- not use the tables gets nothing from them.
--
-- It is one statement, which waits 1 s for a lock at most and leaves all as it was
-- when it fails. Making the column and the indexes keeps others from the table
-- meanwhile: where that is large and in use, make them first, the indexes with
-- CREATE INDEX CONCURRENTLY. Forward only, safe to run again.

DO $migration$
DECLARE
    alerts    REGCLASS := to_regclass('alert_events');
    home      TEXT;
    thing     RECORD;
    problem   TEXT;
    signature TEXT;
    role_name TEXT;
    -- As pg_get_indexdef writes them. NULLs are distinct: alerts without a key are
    -- found by the first one, but not bound. The second serves delete_resolved_alerts.
    indexes CONSTANT TEXT[] := ARRAY[
        'UNIQUE INDEX idx_alert_events_one_open_per_key ON %I.alert_events USING btree (service_name, dedup_key) WHERE (status <> ''resolved''::text)',
        'INDEX idx_alert_events_resolved ON %I.alert_events USING btree (COALESCE(resolved_at, created_at)) WHERE (status = ''resolved''::text)',
        'INDEX idx_alert_transitions_alert ON %I.alert_transitions USING btree (alert_id, id)',
        'INDEX idx_alert_transitions_request ON %I.alert_transitions USING btree (request_id) WHERE (request_id IS NOT NULL)',
        'INDEX idx_alert_notifications_next ON %I.alert_notifications USING btree (next, since, alert_id) WHERE (next IS NOT NULL)',
        'INDEX idx_alert_requests_called_at ON %I.alert_requests USING btree (called_at)'
    ];
    functions CONSTANT TEXT[] := ARRAY[
        'raise_alert(uuid, text, text, text, text, jsonb)',
        'resolve_open_alerts(uuid, text, text, text, text, text)',
        'transition_alert(uuid, uuid, text, text, text)',
        'alert_history(uuid)',
        'alert_response_times(text, text, timestamptz, timestamptz)',
        'claim_alert_notifications(uuid, bigint, bigint, integer)',
        'confirm_alert_notification(uuid, text, uuid)',
        'delete_resolved_alerts(integer, integer)'
    ];
BEGIN
    PERFORM set_config('lock_timeout', '1s', true);

    -- What is there must be what this builds on.
    IF alerts IS NULL THEN
        RAISE EXCEPTION 'there is no table alert_events: run 012_create_monitoring_tables.sql first';
    END IF;
    SELECT n.nspname INTO home
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = alerts;
    IF (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = alerts) <> 'r' THEN
        RAISE EXCEPTION 'alert_events is not a plain table'
            USING DETAIL = 'A unique index on (service_name, dedup_key) cannot span the partitions of a table that is partitioned by something else.',
                  HINT = 'Keep the alerts in one table, or leave this migration out: what needs it is Raise and what is about raised alerts.';
    END IF;
    IF NOT pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = alerts), 'USAGE')
        OR NOT has_schema_privilege(home, 'CREATE') THEN
        RAISE EXCEPTION 'role % may not change alert_events', current_user
            USING HINT = 'Run this as the owner of the table, who may create in its schema.';
    END IF;

    FOR thing IN SELECT to_regclass(format('%I.%I', home, want.relation)) AS id, want.* FROM (VALUES
        ('alert_events', 'id uuid, service_name character varying(100), alert_type text, status text, message text, details jsonb, created_at timestamp with time zone, acknowledged_at timestamp with time zone, resolved_at timestamp with time zone'),
        ('alert_transitions', 'id bigint, alert_id uuid, at timestamp with time zone, from_status text, to_status text, by text, reason text, request_id uuid'),
        ('alert_notifications', 'alert_id uuid, next text, since timestamp with time zone, leased text, leased_until timestamp with time zone, opened_by uuid, resolved_by uuid, reminder_by uuid'),
        ('alert_requests', 'id uuid, call jsonb, called_at timestamp with time zone')
    ) AS want (relation, columns) LOOP
        SELECT string_agg(lacking, ', ') INTO problem FROM (
            SELECT regexp_split_to_table(thing.columns, ', ')
            EXCEPT
            SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a WHERE a.attrelid = thing.id AND NOT a.attisdropped
        ) AS columns (lacking);
        IF thing.id IS NOT NULL AND (problem IS NOT NULL OR (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = thing.id) <> 'r') THEN
            RAISE EXCEPTION '%.% is not the table that this builds on: it lacks %', home, thing.relation, coalesce(problem, 'being a table')
                USING HINT = 'If it is of another program, rename it, or migrate into a schema of its own.';
        END IF;
    END LOOP;
    SELECT format_type(a.atttypid, a.atttypmod) INTO problem FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = alerts AND a.attname = 'dedup_key' AND NOT a.attisdropped;
    IF problem <> 'character varying(200)' THEN
        RAISE EXCEPTION '%.alert_events has a column dedup_key of type %', home, problem
            USING HINT = 'It is to be character varying(200): rename it if it is of another program.';
    END IF;
    FOR i IN 1 .. cardinality(indexes) LOOP
        SELECT c.relname INTO problem
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
        WHERE c.oid = to_regclass(format('%I.%I', home, substring(indexes[i] FROM 'idx_[a-z_]+')))
            AND (x.indisvalid AND pg_get_indexdef(x.indexrelid) = 'CREATE ' || format(indexes[i], home)) IS NOT TRUE;
        IF FOUND THEN
            RAISE EXCEPTION '%.% is INVALID, or another index than is needed', home, problem
                USING HINT = format('Run DROP INDEX CONCURRENTLY %I.%I, then this migration again.', home, problem);
        END IF;
    END LOOP;

    -- What the catalog lacks.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = alerts AND a.attname = 'dedup_key' AND NOT a.attisdropped) THEN
        EXECUTE format('ALTER TABLE %I.alert_events ADD COLUMN dedup_key VARCHAR(200)', home);
    END IF;
    IF to_regclass(format('%I.alert_transitions', home)) IS NULL THEN
        EXECUTE format($create$
            CREATE TABLE IF NOT EXISTS %1$I.alert_transitions (
                id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- assigned under the alert's lock
                alert_id    UUID NOT NULL REFERENCES %1$I.alert_events (id) ON DELETE CASCADE,
                at          TIMESTAMP WITH TIME ZONE NOT NULL,
                from_status TEXT, -- NULL: the alert was created
                to_status   TEXT NOT NULL,
                by          TEXT,
                reason      TEXT,
                request_id  UUID  -- of the call that changed it, if it was one of a function here
            );
            ALTER TABLE %1$I.alert_transitions ENABLE ROW LEVEL SECURITY;
        $create$, home);
    END IF;
    IF to_regclass(format('%I.alert_notifications', home)) IS NULL THEN
        -- What a claim changes is in no index, so that its updates are HOT.
        EXECUTE format($create$
            CREATE TABLE IF NOT EXISTS %1$I.alert_notifications (
                alert_id     UUID PRIMARY KEY REFERENCES %1$I.alert_events (id) ON DELETE CASCADE,
                next         TEXT CHECK (next IN ('opened', 'resolved', 'reminder')), -- what is to be told; NULL: nothing
                since        TIMESTAMP WITH TIME ZONE NOT NULL, -- when next was due; of a reminder, the last confirmation
                leased       TEXT, -- what a claim is about to tell; NULL: nothing
                leased_until TIMESTAMP WITH TIME ZONE,
                opened_by    UUID, -- the claims that told each last, or are about to
                resolved_by  UUID,
                reminder_by  UUID
            ) WITH (fillfactor = 50);
            ALTER TABLE %1$I.alert_notifications ENABLE ROW LEVEL SECURITY;
        $create$, home);
    END IF;
    IF to_regclass(format('%I.alert_requests', home)) IS NULL THEN
        EXECUTE format($create$
            CREATE TABLE IF NOT EXISTS %1$I.alert_requests (
                id        UUID PRIMARY KEY,
                call      JSONB NOT NULL, -- the function and what it was to act on
                called_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
            );
            ALTER TABLE %1$I.alert_requests ENABLE ROW LEVEL SECURITY;
        $create$, home);
    END IF;
    FOR i IN 1 .. cardinality(indexes) LOOP
        IF to_regclass(format('%I.%I', home, substring(indexes[i] FROM 'idx_[a-z_]+'))) IS NULL THEN
            EXECUTE 'CREATE ' || format(indexes[i], home);
        END IF;
    END LOOP;

    -- The history, and what it makes people be told. supavigil.request carries who
    -- and why, from the functions below, to the end of their update; a connection
    -- that was in such a transaction before has it as ''. An alert without a key has
    -- no row in alert_notifications; with one, that row is locked whatever changes,
    -- so that confirm_alert_notification sees one order of the two.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.record_alert_transition() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = ''
        AS $body$
        DECLARE
            moment  CONSTANT TIMESTAMP WITH TIME ZONE := clock_timestamp();
            request JSONB;
        BEGIN
            IF OLD.status IS DISTINCT FROM NEW.status THEN -- OLD is all NULL in an insert
                request := nullif(current_setting('supavigil.request', true), '');
                INSERT INTO %1$I.alert_transitions (alert_id, at, from_status, to_status, by, reason, request_id)
                VALUES (NEW.id, moment, OLD.status, NEW.status, nullif(request ->> 'by', ''), nullif(request ->> 'reason', ''), (request ->> 'id')::uuid);
            END IF;
            IF NEW.dedup_key IS NOT NULL AND NEW.status <> 'resolved' AND (OLD.dedup_key IS NULL OR OLD.status = 'resolved') THEN
                -- Raised, taken over or reopened: it starts anew, and a claim of before has nothing left to confirm.
                INSERT INTO %1$I.alert_notifications AS n (alert_id, next, since) VALUES (NEW.id, 'opened', moment)
                ON CONFLICT (alert_id) DO UPDATE SET next = 'opened', since = moment, leased = NULL, leased_until = NULL;
            ELSIF OLD.status <> NEW.status THEN
                UPDATE %1$I.alert_notifications n
                SET next = CASE
                        WHEN n.next = 'opened' THEN 'opened' -- first things first
                        WHEN NEW.status = 'resolved' THEN 'resolved'
                        WHEN NEW.status = 'active' THEN 'reminder'
                    END,
                    since = CASE WHEN NEW.status = 'resolved' AND n.next IS DISTINCT FROM 'opened' THEN moment ELSE n.since END
                WHERE n.alert_id = NEW.id;
            END IF;
            RETURN NULL;
        END
        $body$
    $create$, home);
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = alerts AND t.tgname = 'record_alert_transition') THEN
        EXECUTE format('CREATE TRIGGER record_alert_transition AFTER INSERT OR UPDATE ON %1$I.alert_events
            FOR EACH ROW EXECUTE FUNCTION %1$I.record_alert_transition()', home);
    END IF;

    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.forget_alert_requests() RETURNS trigger
        LANGUAGE plpgsql SECURITY INVOKER
        SET search_path = ''
        AS $body$
        BEGIN
            DELETE FROM %1$I.alert_requests r WHERE r.id IN (
                SELECT past.id FROM %1$I.alert_requests past
                WHERE past.called_at < CURRENT_TIMESTAMP - INTERVAL '1 day'
                ORDER BY past.called_at LIMIT 10 FOR UPDATE SKIP LOCKED
            );
            RETURN NULL;
        END
        $body$
    $create$, home);
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = to_regclass(format('%I.alert_requests', home)) AND t.tgname = 'forget_alert_requests') THEN
        EXECUTE format('CREATE TRIGGER forget_alert_requests AFTER INSERT ON %1$I.alert_requests
            FOR EACH STATEMENT EXECUTE FUNCTION %1$I.forget_alert_requests()', home);
    END IF;

    -- {"alert": the open alert of the key, "opened": whether it is the one with this
    -- id}. Without dedup_key the key is alert_type, and the newest open alert of that
    -- type that has no key is given it. It goes round again when what it looked at
    -- changed meanwhile; that is another call's progress.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.raise_alert(
            id UUID, service_name TEXT, alert_type TEXT, dedup_key TEXT DEFAULT NULL, message TEXT DEFAULT NULL, details JSONB DEFAULT NULL
        )
        RETURNS JSON
        LANGUAGE plpgsql VOLATILE SECURITY INVOKER
        SET search_path = ''
        AS $body$
        #variable_conflict use_column
        DECLARE
            alert   %1$I.alert_events;
            keyless UUID;
            key     CONSTANT TEXT := coalesce(nullif(raise_alert.dedup_key, ''), raise_alert.alert_type);
        BEGIN
            FOR i IN 1 .. 100 LOOP
                SELECT a.* INTO alert FROM %1$I.alert_events a WHERE a.id = raise_alert.id;
                IF FOUND THEN
                    IF (alert.service_name, alert.alert_type, alert.dedup_key) IS DISTINCT FROM (raise_alert.service_name, raise_alert.alert_type, key) THEN
                        RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'the id is that of another alert';
                    END IF;
                    RETURN json_build_object('alert', alert, 'opened', true);
                END IF;

                SELECT a.* INTO alert FROM %1$I.alert_events a
                WHERE a.service_name = raise_alert.service_name AND a.dedup_key = key AND a.status <> 'resolved';
                IF FOUND THEN
                    CONTINUE WHEN alert.id = raise_alert.id; -- a twin of this call has just opened it
                    RETURN json_build_object('alert', alert, 'opened', false);
                END IF;

                IF coalesce(raise_alert.dedup_key, '') = '' THEN
                    SELECT a.id INTO keyless FROM %1$I.alert_events a
                    WHERE a.service_name = raise_alert.service_name AND a.dedup_key IS NULL AND a.status <> 'resolved' AND a.alert_type = raise_alert.alert_type
                    ORDER BY a.created_at DESC NULLS LAST, a.id DESC LIMIT 1;
                    IF FOUND THEN
                        BEGIN
                            UPDATE %1$I.alert_events a SET dedup_key = key
                            WHERE a.id = keyless AND a.dedup_key IS NULL AND a.status <> 'resolved'
                            RETURNING a.* INTO alert;
                            IF FOUND THEN
                                RETURN json_build_object('alert', alert, 'opened', false);
                            END IF;
                        EXCEPTION WHEN unique_violation THEN NULL; -- another one was opened
                        END;
                        CONTINUE;
                    END IF;
                END IF;

                INSERT INTO %1$I.alert_events AS a (id, service_name, alert_type, status, message, details, created_at, dedup_key)
                VALUES (raise_alert.id, raise_alert.service_name, raise_alert.alert_type, 'active', raise_alert.message, raise_alert.details, clock_timestamp(), key)
                ON CONFLICT DO NOTHING -- once the one in the way is committed
                RETURNING a.* INTO alert;
                IF FOUND THEN
                    RETURN json_build_object('alert', alert, 'opened', true);
                END IF;
            END LOOP;
            RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'something else in alert_events is in the way: a unique index or a trigger of its own, or rows that this role does not see';
        END
        $body$
    $create$, home);

    -- The alerts that this request resolved, as they are now.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.resolve_open_alerts(
            request_id UUID, service_name TEXT, alert_type TEXT, dedup_key TEXT DEFAULT NULL, by TEXT DEFAULT NULL, reason TEXT DEFAULT NULL
        )
        RETURNS JSON
        LANGUAGE plpgsql VOLATILE SECURITY INVOKER
        SET search_path = ''
        AS $body$
        #variable_conflict use_column
        DECLARE
            named CONSTANT TEXT := nullif(resolve_open_alerts.dedup_key, '');
            this_call  CONSTANT JSONB := jsonb_build_array('resolve_open_alerts', resolve_open_alerts.service_name, resolve_open_alerts.alert_type, named);
            open  UUID[];
        BEGIN
            INSERT INTO %1$I.alert_requests (id, call) VALUES (resolve_open_alerts.request_id, this_call) ON CONFLICT DO NOTHING;
            IF FOUND THEN
                -- Locked first and changed by a statement of its own, which sees what was waited for.
                open := ARRAY(
                    SELECT a.id FROM %1$I.alert_events a
                    WHERE a.service_name = resolve_open_alerts.service_name AND a.status <> 'resolved'
                        AND (a.dedup_key = coalesce(named, resolve_open_alerts.alert_type)
                            OR named IS NULL AND a.dedup_key IS NULL AND a.alert_type = resolve_open_alerts.alert_type)
                    ORDER BY a.id FOR NO KEY UPDATE
                );
                PERFORM set_config('supavigil.request', json_build_object('id', resolve_open_alerts.request_id, 'by', resolve_open_alerts.by, 'reason', resolve_open_alerts.reason)::text, true);
                UPDATE %1$I.alert_events a SET status = 'resolved', resolved_at = clock_timestamp() WHERE a.id = ANY (open);
                PERFORM set_config('supavigil.request', '', true);
            ELSIF (SELECT r.call FROM %1$I.alert_requests r WHERE r.id = resolve_open_alerts.request_id) IS DISTINCT FROM this_call THEN
                RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'the request_id is that of another call';
            END IF;
            RETURN (
                SELECT coalesce(json_agg(a ORDER BY t.id), '[]')
                FROM %1$I.alert_transitions t JOIN %1$I.alert_events a ON a.id = t.alert_id
                WHERE t.request_id = resolve_open_alerts.request_id
            );
        END
        $body$
    $create$, home);

    -- {"alert": the alert as it is now, "changed": whether this request changed it};
    -- null where there is none with that id.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.transition_alert(
            request_id UUID, id UUID, to_status TEXT, by TEXT DEFAULT NULL, reason TEXT DEFAULT NULL
        )
        RETURNS JSON
        LANGUAGE plpgsql VOLATILE SECURITY INVOKER
        SET search_path = ''
        AS $body$
        #variable_conflict use_column
        DECLARE
            alert   %1$I.alert_events;
            changed BOOLEAN := false;
            this_call    CONSTANT JSONB := jsonb_build_array('transition_alert', transition_alert.id, transition_alert.to_status);
        BEGIN
            INSERT INTO %1$I.alert_requests (id, call) VALUES (transition_alert.request_id, this_call) ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                IF (SELECT r.call FROM %1$I.alert_requests r WHERE r.id = transition_alert.request_id) IS DISTINCT FROM this_call THEN
                    RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'the request_id is that of another call';
                END IF;
                RETURN (
                    SELECT json_build_object('alert', a, 'changed', EXISTS (
                        SELECT FROM %1$I.alert_transitions t WHERE t.request_id = transition_alert.request_id AND t.alert_id = a.id))
                    FROM %1$I.alert_events a WHERE a.id = transition_alert.id
                );
            END IF;

            SELECT a.* INTO alert FROM %1$I.alert_events a WHERE a.id = transition_alert.id FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                DELETE FROM %1$I.alert_requests r WHERE r.id = transition_alert.request_id; -- nothing was said of an alert
                RETURN NULL;
            END IF;
            IF alert.status = 'resolved' AND transition_alert.to_status = 'acknowledged' THEN
                RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'a resolved alert cannot be acknowledged';
            END IF;
            IF alert.status <> transition_alert.to_status THEN
                PERFORM set_config('supavigil.request', json_build_object('id', transition_alert.request_id, 'by', transition_alert.by, 'reason', transition_alert.reason)::text, true);
                UPDATE %1$I.alert_events a
                SET status = transition_alert.to_status,
                    acknowledged_at = CASE transition_alert.to_status WHEN 'active' THEN NULL WHEN 'acknowledged' THEN clock_timestamp() ELSE a.acknowledged_at END,
                    resolved_at = CASE transition_alert.to_status WHEN 'active' THEN NULL WHEN 'resolved' THEN clock_timestamp() ELSE a.resolved_at END
                WHERE a.id = transition_alert.id
                RETURNING a.* INTO alert;
                PERFORM set_config('supavigil.request', '', true);
                changed := true;
            END IF;
            RETURN json_build_object('alert', alert, 'changed', changed);
        END
        $body$
    $create$, home);

    -- [{"id": "1", "alert_id", "at", "from_status", "to_status", "by", "reason"}], oldest first.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.alert_history(alert_id UUID)
        RETURNS JSON
        LANGUAGE sql STABLE SECURITY INVOKER
        SET search_path = ''
        AS $body$
            SELECT coalesce(json_agg(json_build_object('id', t.id::text, 'alert_id', t.alert_id, 'at', t.at, 'from_status', t.from_status,
                'to_status', t.to_status, 'by', t.by, 'reason', t.reason) ORDER BY t.id), '[]')
            FROM %1$I.alert_transitions t WHERE t.alert_id = alert_history.alert_id
        $body$
    $create$, home);

    -- {"raised", "acknowledged", "resolved": how many, "to_acknowledge", "to_resolve":
    -- {"mean_us", "p50_us", "p90_us", "max_us"}}, recoveries left out.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.alert_response_times(
            service_name TEXT DEFAULT NULL, alert_type TEXT DEFAULT NULL, since TIMESTAMP WITH TIME ZONE DEFAULT NULL, until TIMESTAMP WITH TIME ZONE DEFAULT NULL
        )
        RETURNS JSON
        LANGUAGE plpgsql STABLE SECURITY INVOKER
        SET search_path = ''
        SET plan_cache_mode = 'force_custom_plan' -- so that bounds that are not given cost no index
        AS $body$
        #variable_conflict use_column
        BEGIN
            RETURN (
                WITH spans AS (
                    SELECT a.acknowledged_at IS NOT NULL AS acknowledged, a.resolved_at IS NOT NULL AS resolved,
                        -- microseconds; of infinite times nothing can be said
                        CASE WHEN isfinite(a.created_at) AND isfinite(a.acknowledged_at) THEN
                            greatest(round((extract(epoch FROM a.acknowledged_at) - extract(epoch FROM a.created_at)) * 1000000)::bigint, 0) END AS to_acknowledge,
                        CASE WHEN isfinite(a.created_at) AND isfinite(a.resolved_at) THEN
                            greatest(round((extract(epoch FROM a.resolved_at) - extract(epoch FROM a.created_at)) * 1000000)::bigint, 0) END AS to_resolve
                    FROM %1$I.alert_events a
                    WHERE a.alert_type <> 'recovery'
                        AND (alert_response_times.service_name IS NULL OR a.service_name = alert_response_times.service_name)
                        AND (alert_response_times.alert_type IS NULL OR a.alert_type = alert_response_times.alert_type)
                        AND (alert_response_times.since IS NULL OR a.created_at >= alert_response_times.since)
                        AND (alert_response_times.until IS NULL OR a.created_at < alert_response_times.until)
                )
                SELECT json_build_object(
                    'raised', count(*), 'acknowledged', count(*) FILTER (WHERE acknowledged), 'resolved', count(*) FILTER (WHERE resolved),
                    'to_acknowledge', json_build_object(
                        'mean_us', coalesce(round(avg(to_acknowledge)), 0), 'max_us', coalesce(max(to_acknowledge), 0),
                        'p50_us', coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY to_acknowledge), 0),
                        'p90_us', coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY to_acknowledge), 0)),
                    'to_resolve', json_build_object(
                        'mean_us', coalesce(round(avg(to_resolve)), 0), 'max_us', coalesce(max(to_resolve), 0),
                        'p50_us', coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY to_resolve), 0),
                        'p90_us', coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY to_resolve), 0)))
                FROM spans
            );
        END
        $body$
    $create$, home);

    -- [{"kind": "opened", "resolved" or "reminder", "alert": the alert as it is now}],
    -- at most max_rows that are now leased to request_id. A repeat returns what that
    -- request still holds, for another lease. A call that finds nothing writes nothing.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.claim_alert_notifications(
            request_id UUID, lease_ms BIGINT DEFAULT 60000, remind_every_ms BIGINT DEFAULT 0, max_rows INTEGER DEFAULT 100
        )
        RETURNS JSON
        LANGUAGE plpgsql VOLATILE SECURITY INVOKER
        SET search_path = ''
        AS $body$
        #variable_conflict use_column
        DECLARE
            kinds  CONSTANT TEXT[] := ARRAY['opened', 'resolved', 'reminder'];
            dues   CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY['infinity', 'infinity', -- in that order, since when at the latest
                CASE WHEN remind_every_ms > 0 THEN clock_timestamp() - remind_every_ms * INTERVAL '1 millisecond' ELSE '-infinity' END];
            this_call   CONSTANT JSONB := '["claim_alert_notifications"]';
            moment TIMESTAMP WITH TIME ZONE := clock_timestamp();
            ids    UUID[] := '{}';
        BEGIN
            IF NOT EXISTS (SELECT FROM %1$I.alert_requests r WHERE r.id = claim_alert_notifications.request_id
                UNION ALL
                SELECT FROM unnest(kinds, dues) AS d (kind, due) JOIN %1$I.alert_notifications n ON n.next = d.kind AND n.since <= d.due
                WHERE n.leased IS NULL OR n.leased_until <= moment) THEN
                RETURN '[]';
            END IF;
            INSERT INTO %1$I.alert_requests (id, call) VALUES (claim_alert_notifications.request_id, this_call) ON CONFLICT DO NOTHING;
            IF FOUND THEN
                FOR i IN 1 .. cardinality(kinds) LOOP
                    ids := ids || ARRAY(
                        SELECT n.alert_id FROM %1$I.alert_notifications n
                        WHERE n.next = kinds[i] AND n.since <= dues[i] AND (n.leased IS NULL OR n.leased_until <= moment)
                        ORDER BY n.since, n.alert_id LIMIT max_rows - cardinality(ids)
                        FOR UPDATE SKIP LOCKED
                    );
                END LOOP;
            ELSIF (SELECT r.call FROM %1$I.alert_requests r WHERE r.id = claim_alert_notifications.request_id) IS DISTINCT FROM this_call THEN
                RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'the request_id is that of another call';
            ELSE
                ids := ARRAY(
                    SELECT n.alert_id FROM %1$I.alert_notifications n
                    WHERE n.next IS NOT NULL AND n.leased = n.next
                        AND CASE n.leased WHEN 'opened' THEN n.opened_by WHEN 'resolved' THEN n.resolved_by ELSE n.reminder_by END = claim_alert_notifications.request_id
                    ORDER BY n.alert_id FOR UPDATE
                );
            END IF;
            UPDATE %1$I.alert_notifications n
            SET leased = n.next,
                leased_until = clock_timestamp() + lease_ms * INTERVAL '1 millisecond',
                opened_by = CASE n.next WHEN 'opened' THEN claim_alert_notifications.request_id ELSE n.opened_by END,
                resolved_by = CASE n.next WHEN 'resolved' THEN claim_alert_notifications.request_id ELSE n.resolved_by END,
                reminder_by = CASE n.next WHEN 'reminder' THEN claim_alert_notifications.request_id ELSE n.reminder_by END
            WHERE n.alert_id = ANY (ids);
            RETURN (
                SELECT coalesce(json_agg(json_build_object('kind', n.leased, 'alert', a) ORDER BY array_position(kinds, n.leased), n.since, n.alert_id), '[]')
                FROM %1$I.alert_notifications n JOIN %1$I.alert_events a ON a.id = n.alert_id WHERE n.alert_id = ANY (ids)
            );
        END
        $body$
    $create$, home);

    -- true; null where there is no such alert, or it was never raised. The claim counts
    -- until another one has that kind of notification, also when its lease is over.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.confirm_alert_notification(alert_id UUID, kind TEXT, token UUID)
        RETURNS JSON
        LANGUAGE plpgsql VOLATILE SECURITY INVOKER
        SET search_path = ''
        AS $body$
        #variable_conflict use_column
        DECLARE
            notification %1$I.alert_notifications;
            status_now   TEXT;
        BEGIN
            SELECT n.* INTO notification FROM %1$I.alert_notifications n WHERE n.alert_id = confirm_alert_notification.alert_id FOR UPDATE;
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
            IF token IS DISTINCT FROM (CASE kind WHEN 'opened' THEN notification.opened_by WHEN 'resolved' THEN notification.resolved_by
                WHEN 'reminder' THEN notification.reminder_by END) THEN
                RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'another claim has the notification';
            END IF;
            IF notification.leased = kind THEN -- else confirmed before, or the alert was reopened
                -- Whoever changes the status waits for the lock above, or is seen here.
                SELECT a.status INTO status_now FROM %1$I.alert_events a WHERE a.id = confirm_alert_notification.alert_id;
                UPDATE %1$I.alert_notifications n
                SET next = CASE
                        WHEN kind = 'resolved' THEN NULL
                        WHEN status_now = 'resolved' THEN 'resolved'
                        WHEN status_now = 'active' THEN 'reminder'
                    END,
                    since = clock_timestamp(), leased = NULL, leased_until = NULL
                WHERE n.alert_id = confirm_alert_notification.alert_id;
            END IF;
            RETURN 'true';
        END
        $body$
    $create$, home);

    -- {"deleted": how many}, at most max_rows, the longest resolved first; alerts that
    -- somebody is changing are left for the next call.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION %1$I.delete_resolved_alerts(older_than_days INTEGER, max_rows INTEGER DEFAULT 1000)
        RETURNS JSON
        LANGUAGE plpgsql VOLATILE SECURITY INVOKER
        SET search_path = ''
        AS $body$
        #variable_conflict use_column
        DECLARE
            before  CONSTANT TIMESTAMP WITH TIME ZONE :=
                (CURRENT_TIMESTAMP AT TIME ZONE 'UTC' - make_interval(days => older_than_days)) AT TIME ZONE 'UTC';
            ids     UUID[];
            deleted INTEGER;
        BEGIN
            ids := ARRAY(
                SELECT a.id FROM %1$I.alert_events a
                WHERE a.status = 'resolved' AND coalesce(a.resolved_at, a.created_at) < before
                ORDER BY coalesce(a.resolved_at, a.created_at) LIMIT max_rows FOR UPDATE SKIP LOCKED
            );
            DELETE FROM %1$I.alert_events a WHERE a.id = ANY (ids);
            GET DIAGNOSTICS deleted = ROW_COUNT;
            RETURN json_build_object('deleted', deleted);
        END
        $body$
    $create$, home);

    -- Who may: on older projects anon, authenticated and service_role are granted all by default.
    FOREACH role_name IN ARRAY ARRAY['PUBLIC', 'anon', 'authenticated', 'service_role'] LOOP
        CONTINUE WHEN role_name <> 'PUBLIC' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name);
        EXECUTE format('REVOKE ALL ON TABLE %1$I.alert_transitions, %1$I.alert_notifications, %1$I.alert_requests FROM %2$s', home, role_name);
        EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM %s', pg_get_serial_sequence(format('%I.alert_transitions', home), 'id'), role_name);
        EXECUTE format('REVOKE ALL ON FUNCTION %1$I.record_alert_transition(), %1$I.forget_alert_requests() FROM %2$s', home, role_name);
    END LOOP;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        EXECUTE format('GRANT SELECT ON TABLE %I.alert_transitions TO service_role', home);
        EXECUTE format('GRANT SELECT, UPDATE ON TABLE %I.alert_notifications TO service_role', home);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %I.alert_requests TO service_role', home);
        FOREACH signature IN ARRAY functions LOOP
            FOREACH role_name IN ARRAY ARRAY['PUBLIC', 'anon', 'authenticated'] LOOP
                CONTINUE WHEN role_name <> 'PUBLIC' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name);
                EXECUTE format('REVOKE ALL ON FUNCTION %I.%s FROM %s', home, signature, role_name);
            END LOOP;
            EXECUTE format('GRANT EXECUTE ON FUNCTION %I.%s TO service_role', home, signature);
        END LOOP;
    END IF;
END
$migration$;

-- PostgREST learns of the functions at once.
NOTIFY pgrst, 'reload schema';
