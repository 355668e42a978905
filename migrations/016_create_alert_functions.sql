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
-- Making the column and the indexes keeps others from the table meanwhile: where that
-- is large and in use, make them first, the indexes with CREATE INDEX CONCURRENTLY.
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
    -- As pg_get_indexdef has them. NULLs are distinct: alerts without a key are found
    -- by the first one, but not bound. The second serves delete_resolved_alerts.
    needed       CONSTANT TEXT[] := ARRAY[
        'UNIQUE INDEX idx_alert_events_one_open_per_key ON %I.alert_events USING btree (service_name, dedup_key) WHERE (status <> ''resolved''::text)',
        'INDEX idx_alert_events_resolved ON %I.alert_events USING btree (COALESCE(resolved_at, created_at)) WHERE (status = ''resolved''::text)',
        'INDEX idx_alert_transitions_alert ON %I.alert_transitions USING btree (alert_id, id)',
        'INDEX idx_alert_transitions_request ON %I.alert_transitions USING btree (request_id) WHERE (request_id IS NOT NULL)',
        'INDEX idx_alert_notifications_next ON %I.alert_notifications USING btree (next, since, alert_id) WHERE (next IS NOT NULL)',
        'INDEX idx_alert_requests_called_at ON %I.alert_requests USING btree (called_at)'
    ];
    -- As pg_get_functiondef has them, but for %1$I, the schema.
    functions    CONSTANT TEXT[] := ARRAY[
        -- The history, and what it makes people be told. supavigil.request carries who
        -- and why, from the functions below, to the end of their update; a connection
        -- that was in such a transaction before has it as ''. An alert without a key has
        -- no row in alert_notifications; with one, that row is locked whatever changes,
        -- so that confirm_alert_notification sees one order of the two.
        $create$CREATE OR REPLACE FUNCTION %1$I.record_alert_transition()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
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
$function$
$create$,

        -- A few of the oldest at each call.
        $create$CREATE OR REPLACE FUNCTION %1$I.forget_alert_requests()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
BEGIN
    DELETE FROM %1$I.alert_requests r WHERE r.id IN (
        SELECT past.id FROM %1$I.alert_requests past
        WHERE past.called_at < CURRENT_TIMESTAMP - INTERVAL '1 day'
        ORDER BY past.called_at LIMIT 10 FOR UPDATE SKIP LOCKED
    );
    RETURN NULL;
END
$function$
$create$,

        -- {"alert": the open alert of the key, "opened": whether it is the one with this
        -- id}. A call that found one is remembered, or an attempt of it that is held up
        -- on its way could open another later, of which nobody is told. Without dedup_key the key is alert_type, and the newest open alert of that
        -- type that has no key is given it. It goes round again when what it looked at
        -- changed meanwhile; that is another call's progress. details is JSON as text,
        -- which @supabase/lite does not encode a second time on its way.
        $create$CREATE OR REPLACE FUNCTION %1$I.raise_alert(id uuid, service_name text, alert_type text, dedup_key text DEFAULT NULL::text, message text DEFAULT NULL::text, details text DEFAULT NULL::text)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
#variable_conflict use_column
DECLARE
    alert   %1$I.alert_events;
    keyless UUID;
    key     CONSTANT TEXT := coalesce(nullif(raise_alert.dedup_key, ''), raise_alert.alert_type);
    request CONSTANT UUID := md5('raise_alert ' || raise_alert.id)::uuid;
    again   BOOLEAN;
BEGIN
    INSERT INTO %1$I.alert_requests (id, call) VALUES (request, '["raise_alert"]') ON CONFLICT DO NOTHING;
    again := NOT FOUND;
    FOR i IN 1 .. 100 LOOP
        SELECT a.* INTO alert FROM %1$I.alert_events a WHERE a.id = raise_alert.id;
        IF FOUND THEN
            IF (alert.service_name, alert.alert_type, alert.dedup_key) IS DISTINCT FROM (raise_alert.service_name, raise_alert.alert_type, key) THEN
                RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'the id is that of another alert';
            END IF;
            RETURN json_build_object('alert', alert, 'opened', true);
        END IF;
        IF again THEN -- what was found open is said again, though it is resolved by now
            SELECT a.* INTO alert FROM %1$I.alert_requests r JOIN %1$I.alert_events a ON a.id = (r.call ->> 1)::uuid
            WHERE r.id = request AND a.service_name = raise_alert.service_name AND a.dedup_key = key;
            IF FOUND THEN
                RETURN json_build_object('alert', alert, 'opened', false);
            END IF;
        END IF;

        SELECT a.* INTO alert FROM %1$I.alert_events a
        WHERE a.service_name = raise_alert.service_name AND a.dedup_key = key AND a.status <> 'resolved';
        IF FOUND THEN
            UPDATE %1$I.alert_requests r SET call = jsonb_build_array('raise_alert', alert.id) WHERE r.id = request;
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
                        UPDATE %1$I.alert_requests r SET call = jsonb_build_array('raise_alert', alert.id) WHERE r.id = request;
                        RETURN json_build_object('alert', alert, 'opened', false);
                    END IF;
                EXCEPTION WHEN unique_violation THEN NULL; -- another one was opened
                END;
                CONTINUE;
            END IF;
        END IF;

        INSERT INTO %1$I.alert_events AS a (id, service_name, alert_type, status, message, details, created_at, dedup_key)
        VALUES (raise_alert.id, raise_alert.service_name, raise_alert.alert_type, 'active', raise_alert.message, raise_alert.details::jsonb, clock_timestamp(), key)
        ON CONFLICT DO NOTHING -- once the one in the way is committed
        RETURNING a.* INTO alert;
        IF FOUND THEN
            RETURN json_build_object('alert', alert, 'opened', true);
        END IF;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'PT409', MESSAGE = 'something else in alert_events is in the way: a unique index or a trigger of its own, or rows that this role does not see';
END
$function$
$create$,

        -- The alerts that this request resolved, as they are now.
        $create$CREATE OR REPLACE FUNCTION %1$I.resolve_open_alerts(request_id uuid, service_name text, alert_type text, dedup_key text DEFAULT NULL::text, by text DEFAULT NULL::text, reason text DEFAULT NULL::text)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
$function$
$create$,

        -- {"alert": the alert as it is now, "changed": whether this request changed it};
        -- null where there is none with that id.
        $create$CREATE OR REPLACE FUNCTION %1$I.transition_alert(request_id uuid, id uuid, to_status text, by text DEFAULT NULL::text, reason text DEFAULT NULL::text)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
$function$
$create$,

        -- [{"id": "1", "alert_id", "at", "from_status", "to_status", "by", "reason"}], oldest first.
        $create$CREATE OR REPLACE FUNCTION %1$I.alert_history(alert_id uuid)
 RETURNS json
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
    SELECT coalesce(json_agg(json_build_object('id', t.id::text, 'alert_id', t.alert_id, 'at', t.at, 'from_status', t.from_status,
        'to_status', t.to_status, 'by', t.by, 'reason', t.reason) ORDER BY t.id), '[]')
    FROM %1$I.alert_transitions t WHERE t.alert_id = alert_history.alert_id
$function$
$create$,

        -- {"raised", "acknowledged", "resolved": how many, "to_acknowledge", "to_resolve":
        -- {"mean_us", "p50_us", "p90_us", "max_us"}}, recoveries left out.
        $create$CREATE OR REPLACE FUNCTION %1$I.alert_response_times(service_name text DEFAULT NULL::text, alert_type text DEFAULT NULL::text, since timestamp with time zone DEFAULT NULL::timestamp with time zone, until timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS json
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
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
$function$
$create$,

        -- [{"kind": "opened", "resolved" or "reminder", "alert": the alert as it is now}],
        -- at most max_rows that are now leased to request_id. A repeat returns what that
        -- request still holds, for another lease. A call that finds nothing writes nothing.
        $create$CREATE OR REPLACE FUNCTION %1$I.claim_alert_notifications(request_id uuid, lease_ms bigint DEFAULT 60000, remind_every_ms bigint DEFAULT 0, max_rows integer DEFAULT 100)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
        SELECT FROM unnest(kinds, dues) AS d (kind, due) CROSS JOIN LATERAL (
            SELECT FROM %1$I.alert_notifications n
            WHERE n.next = d.kind AND n.since <= d.due AND (n.leased IS NULL OR n.leased_until <= moment) LIMIT 1
        ) first_due) THEN
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
$function$
$create$,

        -- true; null where there is no such alert, or it was never raised. The claim counts
        -- until another one has that kind of notification, also when its lease is over.
        $create$CREATE OR REPLACE FUNCTION %1$I.confirm_alert_notification(alert_id uuid, kind text, token uuid)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
$function$
$create$,

        -- {"deleted": how many}, at most max_rows, the longest resolved first; alerts that
        -- somebody is changing are left for the next call.
        $create$CREATE OR REPLACE FUNCTION %1$I.delete_resolved_alerts(older_than_days integer, max_rows integer DEFAULT 1000)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
$function$
$create$
    ];
    definition   TEXT;
    found        RECORD;
    problem      TEXT;
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

    -- The same for what is made here.
    IF (SELECT relkind FROM pg_class WHERE oid = 'alert_events'::regclass) <> 'r' THEN
        RAISE EXCEPTION '%.alert_events is partitioned: no index can keep one alert of a key open across partitions that are made by something else. Keep the alerts in one table, or leave this file out; nothing was changed', home
            USING ERRCODE = 'wrong_object_type';
    END IF;
    FOR found IN
        SELECT want.name, c.oid, c.relkind, want.columns, pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS is_owner
        FROM (VALUES
            ('alert_events', '{}'),
            ('alert_transitions', '{id bigint,alert_id uuid,at timestamp with time zone,from_status text,to_status text,by text,reason text,request_id uuid}'),
            ('alert_notifications', '{alert_id uuid,next text,since timestamp with time zone,leased text,leased_until timestamp with time zone,opened_by uuid,resolved_by uuid,reminder_by uuid}'),
            ('alert_requests', '{id uuid,call jsonb,called_at timestamp with time zone}')
        ) AS want (name, columns) JOIN pg_class c ON c.relname = want.name AND c.relnamespace = quote_ident(home)::regnamespace
    LOOP
        SELECT string_agg(coalesce(want, has) || CASE WHEN want IS NULL THEN ' is not expected' ELSE ' is missing' END, '; ') INTO problem
        FROM unnest(found.columns::TEXT[]) want
        FULL JOIN (
            SELECT attname || ' ' || format_type(atttypid, atttypmod) AS has, attname, attnotnull AND NOT (atthasdef OR attidentity <> '') AS required
            FROM pg_attribute WHERE attrelid = found.oid AND attnum > 0 AND NOT attisdropped
        ) a ON a.has = want
        WHERE CASE
            WHEN found.name = 'alert_events' THEN attname = 'dedup_key' AND has <> 'dedup_key character varying(200)'
            ELSE has IS NULL OR want IS NULL AND required
        END;
        IF found.relkind <> 'r' THEN
            problem := 'it is no table';
        END IF;
        IF problem IS NOT NULL THEN
            RAISE EXCEPTION '%.% is not the table that these migrations make: %. Give it another name, or run them in another schema (docs/migrations.md); nothing was changed', home, found.name, problem
                USING ERRCODE = 'duplicate_table';
        ELSIF NOT found.is_owner THEN
            RAISE EXCEPTION '%.% belongs to %, whose rights % does not have', home, found.name, found.owner, current_user
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    END LOOP;
    FOR found IN
        SELECT c.relname AS name, (i.indisvalid AND i.indisready AND i.indislive) AS valid, regexp_replace(pg_get_indexdef(i.indexrelid), ' WITH \([^)]*\)', '') = 'CREATE ' || format(want, home) AS same
        FROM unnest(needed) want
        JOIN pg_class c ON c.relname = substring(want FROM 'idx_\w+') AND c.relnamespace = quote_ident(home)::regnamespace
        LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LOOP
        IF found.same IS NOT TRUE THEN
            RAISE EXCEPTION '%.% is not the index that these migrations make. Give it another name; nothing was changed', home, found.name
                USING ERRCODE = 'duplicate_object';
        ELSIF NOT found.valid THEN
            RAISE EXCEPTION 'index %.% is INVALID: a concurrent build was cancelled, or still runs. Wait for it, or repair it with REINDEX INDEX CONCURRENTLY %.%, and run this file again; nothing was changed', home, found.name, quote_ident(home), found.name
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
    END LOOP;

    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'alert_events'::regclass AND attname = 'dedup_key' AND NOT attisdropped) THEN
        ALTER TABLE alert_events ADD COLUMN dedup_key VARCHAR(200);
    END IF;
    CREATE TABLE IF NOT EXISTS alert_transitions (
        id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- assigned under the alert's lock
        alert_id    UUID NOT NULL REFERENCES alert_events (id) ON DELETE CASCADE,
        at          TIMESTAMP WITH TIME ZONE NOT NULL,
        from_status TEXT, -- NULL: the alert was created
        to_status   TEXT NOT NULL,
        by          TEXT,
        reason      TEXT,
        request_id  UUID  -- of the call that changed it, if it was one of a function here
    );
    -- What a claim changes is in no index, so that its updates are HOT.
    CREATE TABLE IF NOT EXISTS alert_notifications (
        alert_id     UUID PRIMARY KEY REFERENCES alert_events (id) ON DELETE CASCADE,
        next         TEXT CHECK (next IN ('opened', 'resolved', 'reminder')), -- what is to be told; NULL: nothing
        since        TIMESTAMP WITH TIME ZONE NOT NULL, -- when next was due; of a reminder, the last confirmation
        leased       TEXT, -- what a claim is about to tell; NULL: nothing
        leased_until TIMESTAMP WITH TIME ZONE,
        opened_by    UUID, -- the claims that told each last, or are about to
        resolved_by  UUID,
        reminder_by  UUID
    ) WITH (fillfactor = 50);
    CREATE TABLE IF NOT EXISTS alert_requests (
        id        UUID PRIMARY KEY,
        call      JSONB NOT NULL, -- the function and what it was to act on
        called_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    FOREACH definition IN ARRAY needed LOOP
        IF to_regclass(substring(definition FROM 'idx_\w+')) IS NULL THEN
            EXECUTE 'CREATE ' || format(definition, home);
        END IF;
    END LOOP;
    FOREACH definition IN ARRAY functions LOOP
        IF NOT EXISTS (
            SELECT FROM pg_proc WHERE pronamespace = quote_ident(home)::regnamespace AND proname = substring(definition FROM '%1\$I\.(\w+)')
                AND pg_get_functiondef(oid) = format(definition, home)
        ) THEN
            EXECUTE format(definition, home);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'alert_events'::regclass AND tgname = 'record_alert_transition') THEN
        CREATE TRIGGER record_alert_transition AFTER INSERT OR UPDATE ON alert_events
            FOR EACH ROW EXECUTE FUNCTION record_alert_transition();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'alert_requests'::regclass AND tgname = 'forget_alert_requests') THEN
        CREATE TRIGGER forget_alert_requests AFTER INSERT ON alert_requests
            FOR EACH STATEMENT EXECUTE FUNCTION forget_alert_requests();
    END IF;

    -- Who may, and what there may be too much of: on older projects anon, authenticated
    -- and service_role are granted everything by default.
    FOR found IN
        WITH things AS (
            SELECT 'TABLE' AS kind, c.oid, c.oid::regclass::TEXT AS name, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl, c.relowner AS owner,
                CASE c.relname WHEN 'alert_transitions' THEN '{SELECT}' WHEN 'alert_notifications' THEN '{SELECT,UPDATE}' ELSE '{DELETE,INSERT,SELECT,UPDATE}' END::TEXT[] AS needs
            FROM pg_class c WHERE c.oid IN ('alert_transitions'::regclass, 'alert_notifications'::regclass, 'alert_requests'::regclass)
            UNION ALL
            SELECT 'SEQUENCE', c.oid, c.oid::regclass::TEXT, coalesce(c.relacl, acldefault('s', c.relowner)), c.relowner, '{}'
            FROM pg_class c WHERE c.oid = pg_get_serial_sequence('alert_transitions', 'id')::regclass
            UNION ALL
            SELECT 'FUNCTION', p.oid, p.oid::regprocedure::TEXT, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner,
                CASE WHEN p.prorettype <> 'trigger'::regtype THEN '{EXECUTE}' ELSE '{}' END::TEXT[]
            FROM unnest(functions) f JOIN pg_proc p ON p.pronamespace = quote_ident(home)::regnamespace AND pg_get_functiondef(p.oid) = format(f, home)
        ), roles AS (
            SELECT oid, quote_ident(rolname) AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
            UNION ALL SELECT 0, 'PUBLIC'
        )
        SELECT t.kind, t.name, r.name AS role, needed.list AS needs
        FROM things t CROSS JOIN roles r
        CROSS JOIN LATERAL (SELECT CASE WHEN r.name = 'service_role' THEN t.needs ELSE '{}' END AS list) needed
        WHERE needed.list <> ARRAY(SELECT a.privilege_type FROM aclexplode(t.acl) a WHERE a.grantee = r.oid AND a.grantee <> t.owner ORDER BY 1)
            -- With nobody to give a function to, it stays everybody's.
            AND (t.kind <> 'FUNCTION' OR t.needs = '{}' OR EXISTS (SELECT FROM roles WHERE name = 'service_role'))
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', found.kind, found.name, found.role);
        IF found.needs <> '{}' THEN
            EXECUTE format('GRANT %s ON %s %s TO %s', array_to_string(found.needs, ', '), found.kind, found.name, found.role);
        END IF;
    END LOOP;
    FOR found IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.oid IN ('alert_transitions'::regclass, 'alert_notifications'::regclass, 'alert_requests'::regclass) AND NOT c.relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', found.name);
    END LOOP;

    PERFORM set_config('search_path', old_path, true), set_config('lock_timeout', old_timeout::TEXT, true);
EXCEPTION WHEN insufficient_privilege OR lock_not_available THEN
    RAISE EXCEPTION '%. Nothing was changed. Run this file again %', SQLERRM, CASE SQLSTATE
        WHEN '42501' THEN format('as a role that owns the tables and schema %s', home)
        ELSE 'when nobody holds a lock on the tables for more than a second' END
        USING ERRCODE = SQLSTATE;
END
$migration$;

-- PostgREST learns of the functions at once.
NOTIFY pgrst, 'reload schema';
