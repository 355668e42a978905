-- Purpose: what services were like over time, hour by hour, and what they are like now.
-- Date:    2026-11-26
--
--   service_history_hours  one row for each service and hour (UTC) of checked_at: a bit
--                          for each of its 60 minutes that saw a healthy, a degraded, a
--                          down check, so that repeats, late rows and several probers
--                          cannot count twice, and the latencies of those that are not
--                          down. A trigger keeps it in the transaction of the insert;
--                          deleting checks does not change it. NULL and infinity in
--                          checked_at, unknown statuses and negative latencies are in
--                          nothing.
--   service_history_days   the latencies of whole days that are over, summed up from the
--                          hours by service_history when they are first asked for, since
--                          months of hours take long to sum up. It can be thrown away.
--
-- Latencies are counted in buckets: one for each ms below 32, from there on 16 an
-- octave, so that a quantile is within 1/33. The bucket of v ms, whose binary form has n
-- digits, is 16 s + (v >> s), s = n - 5, or v below 32. An array of counts begins at the
-- first bucket that is used, and has NULL for none.
--
-- Locks: hours in the order of (service_name, hour), then days in that of
-- (service_name, day), so that none waits for another in a circle.
--
-- The functions are the service role's alone; it reads the tables, and changes them by
-- the functions only. Where there is no such role yet, as when @supabase/lite migrates
-- PGlite, the functions stay everybody's, and refuse anon and authenticated themselves.
-- The history begins with this file: rebuild_service_history adds what was before.
--
-- Making the index keeps others from writing to the table meanwhile: where that is
-- large and in use, make it first, with CREATE INDEX CONCURRENTLY.
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
    -- As pg_get_indexdef has it: where a run of one status begins.
    needed       CONSTANT TEXT[] := ARRAY[
        'INDEX idx_service_health_checks_states ON %I.service_health_checks USING btree (service_name, status, checked_at)'
    ];
    -- The hours of the checks that are called stored, %2$s below.
    summed       CONSTANT TEXT := $summed$SELECT c.service_name, date_trunc('hour', c.checked_at, 'UTC') AS hour,
            coalesce(bit_or(c.minute) FILTER (WHERE c.status = 'healthy'), 0) AS healthy,
            coalesce(bit_or(c.minute) FILTER (WHERE c.status = 'degraded'), 0) AS degraded,
            coalesce(bit_or(c.minute) FILTER (WHERE c.status = 'down'), 0) AS down,
            count(c.latency) AS checks, coalesce(sum(c.latency), 0) AS sum_ms, min(c.latency) AS min_ms, max(c.latency) AS max_ms,
            array_agg(c.latency) FILTER (WHERE c.latency IS NOT NULL) AS latencies
        FROM (
            SELECT service_name, checked_at, status, 1::bigint << date_part('minute', checked_at AT TIME ZONE 'UTC')::integer AS minute,
                CASE WHEN status <> 'down' AND latency_ms >= 0 THEN latency_ms END AS latency
            FROM stored WHERE isfinite(checked_at) AND status IN ('healthy', 'degraded', 'down')
        ) c
        GROUP BY c.service_name, 2$summed$;
    -- As pg_get_functiondef has them, but for %1$I, the schema, and %2$s.
    functions    CONSTANT TEXT[] := ARRAY[
        $create$CREATE OR REPLACE FUNCTION %1$I.count_latencies(latencies integer[])
 RETURNS integer[]
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
DECLARE
    counts  INTEGER[] := '{}';
    latency INTEGER;
    shift   INTEGER;
BEGIN
    FOREACH latency IN ARRAY coalesce(latencies, '{}') LOOP
        shift := greatest(length(ltrim(latency::bit(32)::text, '0')) - 5, 0);
        counts[shift * 16 + (latency >> shift)] := coalesce(counts[shift * 16 + (latency >> shift)], 0) + 1;
    END LOOP;
    RETURN counts;
END
$function$
$create$,

        $create$CREATE OR REPLACE FUNCTION %1$I.add_counts(counts integer[], more integer[])
 RETURNS integer[]
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
DECLARE
    bucket INTEGER := array_lower(more, 1);
    n      INTEGER;
BEGIN
    IF more = '{}' OR counts = '{}' THEN
        RETURN CASE WHEN more = '{}' THEN counts ELSE more END;
    END IF;
    FOREACH n IN ARRAY more LOOP
        IF n IS NOT NULL THEN
            counts[bucket] := coalesce(counts[bucket], 0) + n;
        END IF;
        bucket := bucket + 1;
    END LOOP;
    RETURN counts;
END
$function$
$create$,

        -- Days that are over and have another latency are to be summed up again.
        $create$CREATE OR REPLACE FUNCTION %1$I.keep_service_history()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
DECLARE
    today CONSTANT TIMESTAMP WITH TIME ZONE := date_trunc('day', clock_timestamp(), 'UTC');
BEGIN
    INSERT INTO %1$I.service_history_hours AS h (service_name, hour, healthy, degraded, down, checks, sum_ms, min_ms, max_ms, counts)
    SELECT s.service_name, s.hour, s.healthy, s.degraded, s.down, s.checks, s.sum_ms, s.min_ms, s.max_ms, %1$I.count_latencies(s.latencies)
    FROM (
        %2$s
    ) s
    ORDER BY s.service_name, s.hour
    ON CONFLICT (service_name, hour) DO UPDATE SET
        healthy = h.healthy | EXCLUDED.healthy, degraded = h.degraded | EXCLUDED.degraded, down = h.down | EXCLUDED.down,
        checks = h.checks + EXCLUDED.checks, sum_ms = h.sum_ms + EXCLUDED.sum_ms,
        min_ms = least(h.min_ms, EXCLUDED.min_ms), max_ms = greatest(h.max_ms, EXCLUDED.max_ms),
        counts = %1$I.add_counts(h.counts, EXCLUDED.counts)
    WHERE EXCLUDED.checks > 0 OR EXCLUDED.healthy & ~h.healthy <> 0 OR EXCLUDED.degraded & ~h.degraded <> 0 OR EXCLUDED.down & ~h.down <> 0;
    IF EXISTS (SELECT FROM stored WHERE checked_at < today AND latency_ms >= 0) THEN
        INSERT INTO %1$I.service_history_days AS d (service_name, day)
        SELECT DISTINCT c.service_name, date_trunc('day', c.checked_at, 'UTC')
        FROM stored c WHERE c.checked_at < today AND isfinite(c.checked_at) AND c.latency_ms >= 0
        ORDER BY 1, 2
        ON CONFLICT (service_name, day) DO UPDATE SET stale = true WHERE NOT d.stale;
    END IF;
    RETURN NULL;
END
$function$
$create$,

        -- Sums up the latencies of days that ended a day ago or earlier, so that no insert
        -- of them is still under way, up to some hundred at each call.
        $create$CREATE OR REPLACE FUNCTION %1$I.sum_up_service_days(names text[], since timestamp with time zone, until timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
DECLARE
    most    CONSTANT INTEGER := 500;
    over    CONSTANT TIMESTAMP WITH TIME ZONE := date_trunc('day', clock_timestamp() - interval '24 hours', 'UTC');
    of      TEXT[];
    days    TIMESTAMP WITH TIME ZONE[];
    service VARCHAR(100);
    begins  TIMESTAMP WITH TIME ZONE;
    merged  INTEGER[];
    more    INTEGER[];
BEGIN
    WITH wanted AS (
        SELECT n.name, d.day
        FROM unnest(names) n (name)
        CROSS JOIN LATERAL (
            SELECT min(h.hour) AS first, max(h.hour) AS last FROM %1$I.service_history_hours h
            WHERE h.service_name = n.name AND h.hour >= since AND h.hour < least(until, over)
        ) has
        CROSS JOIN LATERAL generate_series(date_trunc('day', has.first, 'UTC'), has.last, interval '24 hours') d (day)
        WHERE NOT EXISTS (
            SELECT FROM %1$I.service_history_days e WHERE e.service_name = n.name AND e.day = d.day AND NOT e.stale
        )
        ORDER BY n.name, d.day LIMIT most
    ), locked AS (
        INSERT INTO %1$I.service_history_days AS d (service_name, day) SELECT w.name, w.day FROM wanted w ORDER BY w.name, w.day
        ON CONFLICT (service_name, day) DO UPDATE SET stale = true
        RETURNING d.service_name, d.day
    )
    SELECT array_agg(l.service_name), array_agg(l.day) INTO of, days FROM locked l;

    FOR service, begins IN SELECT l.* FROM unnest(of, days) l LOOP
        merged := '{}';
        -- Statements of their own, which see what was stored before the locks were got.
        FOR more IN
            SELECT h.counts FROM %1$I.service_history_hours h
            WHERE h.service_name = service AND h.hour >= begins AND h.hour < begins + interval '24 hours'
        LOOP
            merged := %1$I.add_counts(merged, more);
        END LOOP;
        UPDATE %1$I.service_history_days d
        SET checks = s.checks, sum_ms = s.sum_ms, min_ms = s.min_ms, max_ms = s.max_ms, counts = merged, stale = false
        FROM (
            SELECT coalesce(sum(h.checks), 0) AS checks, coalesce(sum(h.sum_ms), 0) AS sum_ms, min(h.min_ms) AS min_ms, max(h.max_ms) AS max_ms
            FROM %1$I.service_history_hours h
            WHERE h.service_name = service AND h.hour >= begins AND h.hour < begins + interval '24 hours'
        ) s
        WHERE d.service_name = service AND d.day = begins;
    END LOOP;
END
$function$
$create$,

        -- Minutes: a bound is moved up to where the next slot begins, so that slots are
        -- whole, and the bounds of all periods cut time into pieces, each of which is
        -- summed up once; a period is a run of pieces. An hour with a bound in it is
        -- masked for each of its pieces. A slot is a group of bits: that any is set carries
        -- into its last one (ends) when all its others (rest) are added to them.
        -- Latencies: the same by whole hours, from days where one is in one piece.
        $create$CREATE OR REPLACE FUNCTION %1$I.service_history(starts timestamp with time zone[], ends timestamp with time zone[], service_names text[] DEFAULT NULL::text[], after_service text DEFAULT NULL::text, max_services integer DEFAULT 1000, slot_minutes integer DEFAULT 1, any_healthy boolean DEFAULT false, quantiles double precision[] DEFAULT NULL::double precision[])
 RETURNS json
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
DECLARE
    slot     CONSTANT NUMERIC := slot_minutes * 60;
    last     CONSTANT BIGINT := (SELECT bit_or(1::bigint << m) FROM generate_series(slot_minutes - 1, 59, slot_minutes) m);
    rest     CONSTANT BIGINT := ((1::bigint << 60) - 1) & ~last;
    first_at CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT to_timestamp(ceil(extract(epoch FROM t) / slot) * slot) FROM unnest(starts) WITH ORDINALITY s (t, i) ORDER BY i);
    end_at   CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT to_timestamp(ceil(extract(epoch FROM t) / slot) * slot) FROM unnest(ends) WITH ORDINALITY s (t, i) ORDER BY i);
    bounds   CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT DISTINCT t FROM unnest(first_at || end_at) t ORDER BY t);
    split    CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT DISTINCT date_trunc('hour', t, 'UTC') FROM unnest(bounds) t WHERE t <> date_trunc('hour', t, 'UTC'));
    pieces   CONSTANT INTEGER := cardinality(bounds) - 1;
    names    TEXT[];
    minutes  JSONB;
    latency  JSONB;
BEGIN
    IF current_setting('role') IN ('anon', 'authenticated') THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for function service_history';
    END IF;
    IF service_names IS NULL THEN
        WITH RECURSIVE found AS (
            (SELECT h.service_name FROM %1$I.service_history_hours h WHERE h.service_name > coalesce(after_service, '') ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT next.service_name FROM found f CROSS JOIN LATERAL (
                SELECT h.service_name FROM %1$I.service_history_hours h WHERE h.service_name > f.service_name ORDER BY 1 LIMIT 1
            ) next
        )
        SELECT array_agg(s.service_name) INTO names FROM (SELECT f.service_name FROM found f LIMIT max_services) s;
    ELSE
        SELECT array_agg(DISTINCT n COLLATE "C") INTO names FROM unnest(service_names) n
        WHERE EXISTS (SELECT FROM %1$I.service_history_hours h WHERE h.service_name = n);
    END IF;

    WITH piece AS (
        SELECT p.hour, width_bucket(p.at, bounds) AS piece, ((1::bigint << p.until) - 1) & ~((1::bigint << p.since) - 1) AS mask
        FROM (
            SELECT b.hour, b.at, date_part('minute', b.at AT TIME ZONE 'UTC')::integer AS since,
                coalesce(date_part('minute', lead(b.at) OVER (PARTITION BY b.hour ORDER BY b.at) AT TIME ZONE 'UTC')::integer, 60) AS until
            FROM (
                SELECT s AS hour, s AS at FROM unnest(split) s
                UNION SELECT date_trunc('hour', t, 'UTC'), t FROM unnest(bounds) t WHERE t <> date_trunc('hour', t, 'UTC')
            ) b
        ) p
    ), seen AS (
        SELECT h.service_name, width_bucket(h.hour, bounds) AS piece, h.degraded,
            CASE WHEN any_healthy THEN h.healthy ELSE h.down END AS wins, h.healthy | h.degraded | h.down AS any
        FROM %1$I.service_history_hours h
        WHERE h.service_name = ANY (names) AND h.hour >= bounds[1] AND h.hour < bounds[pieces + 1] AND h.hour <> ALL (split)
        UNION ALL
        SELECT h.service_name, p.piece, h.degraded & p.mask,
            CASE WHEN any_healthy THEN h.healthy ELSE h.down END & p.mask, (h.healthy | h.degraded | h.down) & p.mask
        FROM piece p CROSS JOIN unnest(names) n (name) CROSS JOIN LATERAL (
            SELECT * FROM %1$I.service_history_hours h WHERE h.service_name = n.name AND h.hour = p.hour OFFSET 0 -- so that each is looked up
        ) h
    ), summed AS ( -- in slots; each sum has what is in the ones before
        SELECT s.service_name, s.piece,
            sum(bit_count((((s.wins & rest) + rest | s.wins) & last)::bit(64))::integer) AS first,
            sum(bit_count(((((s.wins | s.degraded) & rest) + rest | s.wins | s.degraded) & last)::bit(64))::integer) AS second,
            sum(bit_count((((s.any & rest) + rest | s.any) & last)::bit(64))::integer) AS third
        FROM seen s GROUP BY s.service_name, s.piece
    ), upto AS ( -- each piece, by its place
        SELECT u.service_name, array_agg(u.first ORDER BY u.piece) AS first, array_agg(u.second ORDER BY u.piece) AS second, array_agg(u.third ORDER BY u.piece) AS third
        FROM (
            SELECT n.service_name, p.piece, coalesce(sum(s.first) OVER w, 0)::bigint AS first,
                coalesce(sum(s.second) OVER w, 0)::bigint AS second, coalesce(sum(s.third) OVER w, 0)::bigint AS third
            FROM unnest(names) n (service_name) CROSS JOIN generate_series(0, pieces) p (piece)
            LEFT JOIN summed s ON s.service_name = n.service_name AND s.piece = p.piece
            WINDOW w AS (PARTITION BY n.service_name ORDER BY p.piece)
        ) u GROUP BY u.service_name
    ), counted AS (
        SELECT u.service_name, p.i, (u.first[p.upto] - u.first[p.since]) * slot_minutes AS first,
            (u.second[p.upto] - u.second[p.since]) * slot_minutes AS second, (u.third[p.upto] - u.third[p.since]) * slot_minutes AS third
        FROM upto u CROSS JOIN (
            SELECT i, width_bucket(first_at, bounds) AS since, width_bucket(end_at, bounds) AS upto
            FROM unnest(first_at, end_at) WITH ORDINALITY p (first_at, end_at, i)
        ) p
    )
    SELECT jsonb_object_agg(s.service_name, s.minutes) INTO minutes FROM (
        SELECT c.service_name, jsonb_agg(CASE
                WHEN any_healthy THEN jsonb_build_array(c.first, c.second - c.first, c.third - c.second)
                ELSE jsonb_build_array(c.third - c.second, c.second - c.first, c.first)
            END ORDER BY c.i) AS minutes
        FROM counted c GROUP BY c.service_name
    ) s;

    IF cardinality(quantiles) > 0 AND cardinality(names) > 0 THEN
        latency := %1$I.latency_of_services(names, starts, ends, quantiles);
    END IF;
    RETURN coalesce((
        SELECT json_agg(json_build_object('service_name', n.name, 'minutes', minutes -> n.name, 'latency', latency -> n.name) ORDER BY n.i)
        FROM unnest(names) WITH ORDINALITY n (name, i)
    ), '[]');
END
$function$
$create$,

        $create$CREATE OR REPLACE FUNCTION %1$I.latency_of_services(names text[], starts timestamp with time zone[], ends timestamp with time zone[], quantiles double precision[])
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
DECLARE
    first_at CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT to_timestamp(ceil(extract(epoch FROM t) / 3600) * 3600) FROM unnest(starts) WITH ORDINALITY s (t, i) ORDER BY i);
    end_at   CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT to_timestamp(ceil(extract(epoch FROM t) / 3600) * 3600) FROM unnest(ends) WITH ORDINALITY s (t, i) ORDER BY i);
    bounds   CONSTANT TIMESTAMP WITH TIME ZONE[] := ARRAY(SELECT DISTINCT t FROM unnest(first_at || end_at) t ORDER BY t);
    since    CONSTANT TIMESTAMP WITH TIME ZONE := bounds[1];
    until    CONSTANT TIMESTAMP WITH TIME ZONE := bounds[cardinality(bounds)];
BEGIN
    IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM %1$I.sum_up_service_days(names, since, until);
    END IF;
    RETURN (
        WITH whole AS MATERIALIZED (
            SELECT d.service_name, d.day, width_bucket(d.day, bounds) AS piece, d.checks, d.sum_ms, d.min_ms, d.max_ms, d.counts
            FROM %1$I.service_history_days d
            WHERE d.service_name = ANY (names) AND d.day >= since AND d.day + interval '24 hours' <= until AND NOT d.stale
                AND width_bucket(d.day, bounds) = width_bucket(d.day + interval '23 hours', bounds)
        ), other AS ( -- days of which hours are read
            SELECT n.name, d.day
            FROM unnest(names) n (name)
            CROSS JOIN LATERAL (
                SELECT min(h.hour) AS first, max(h.hour) AS last FROM %1$I.service_history_hours h
                WHERE h.service_name = n.name AND h.hour >= since AND h.hour < until
            ) has
            CROSS JOIN LATERAL generate_series(date_trunc('day', has.first, 'UTC'), has.last, interval '24 hours') d (day)
            WHERE NOT EXISTS (SELECT FROM whole w WHERE w.service_name = n.name AND w.day = d.day)
        ), part AS (
            SELECT w.service_name, w.piece, w.checks, w.sum_ms, w.min_ms, w.max_ms, w.counts FROM whole w WHERE w.checks > 0
            UNION ALL
            SELECT h.service_name, width_bucket(h.hour, bounds), h.checks, h.sum_ms, h.min_ms, h.max_ms, h.counts
            FROM other o CROSS JOIN LATERAL (
                SELECT * FROM %1$I.service_history_hours h
                WHERE h.service_name = o.name AND h.hour >= greatest(o.day, since) AND h.hour < least(o.day + interval '24 hours', until)
                OFFSET 0 -- so that each day is looked up
            ) h
            WHERE h.checks > 0
        ), summed AS (
            SELECT p.service_name, p.piece, sum(p.checks) AS checks, sum(p.sum_ms) AS sum_ms, min(p.min_ms) AS min_ms, max(p.max_ms) AS max_ms
            FROM part p GROUP BY p.service_name, p.piece
        ), counted AS (
            SELECT p.service_name, p.piece, array_lower(p.counts, 1) + c.i::integer - 1 AS bucket, sum(c.n) AS n
            FROM part p CROSS JOIN LATERAL unnest(p.counts) WITH ORDINALITY c (n, i)
            WHERE c.n IS NOT NULL GROUP BY 1, 2, 3
        ), period AS (
            SELECT p.i, width_bucket(p.first_at, bounds) AS first, width_bucket(p.end_at, bounds) - 1 AS last
            FROM unnest(first_at, end_at) WITH ORDINALITY p (first_at, end_at, i)
        ), total AS (
            SELECT s.service_name, p.i, sum(s.checks) AS checks, sum(s.sum_ms) AS sum_ms, min(s.min_ms) AS min_ms, max(s.max_ms) AS max_ms
            FROM period p JOIN summed s ON s.piece BETWEEN p.first AND p.last GROUP BY s.service_name, p.i
        ), rising AS (
            SELECT c.service_name, p.i, c.bucket, sum(sum(c.n)) OVER (PARTITION BY c.service_name, p.i ORDER BY c.bucket) AS upto
            FROM period p JOIN counted c ON c.piece BETWEEN p.first AND p.last GROUP BY c.service_name, p.i, c.bucket
        ), reached AS (
            SELECT t.service_name, t.i, q.n, min(r.bucket) AS bucket, greatest(min(r.bucket) / 16 - 1, 0) AS shift
            FROM total t JOIN rising r ON r.service_name = t.service_name AND r.i = t.i
            CROSS JOIN unnest(quantiles) WITH ORDINALITY q (q, n)
            WHERE r.upto >= greatest(ceil(q.q * t.checks::double precision), 1)
            GROUP BY t.service_name, t.i, q.n
        ), quantile AS (
            SELECT t.service_name, t.i, jsonb_agg(
                    least(greatest(coalesce(2 * b.low * b.high / nullif(b.low + b.high, 0), 0), t.min_ms), t.max_ms) ORDER BY r.n
                ) AS list
            FROM total t JOIN reached r ON r.service_name = t.service_name AND r.i = t.i
            CROSS JOIN LATERAL (
                SELECT (r.bucket - 16 * r.shift)::double precision * (1::bigint << r.shift) AS low,
                    (r.bucket - 16 * r.shift + 1)::double precision * (1::bigint << r.shift) - 1 AS high
            ) b
            GROUP BY t.service_name, t.i
        )
        SELECT jsonb_object_agg(s.service_name, s.list) FROM (
            SELECT n.name AS service_name, jsonb_agg(CASE WHEN t.checks > 0 THEN jsonb_build_object('checks', t.checks, 'sum_ms', t.sum_ms,
                'min_ms', t.min_ms, 'max_ms', t.max_ms, 'quantiles_ms', q.list) END ORDER BY p.i) AS list
            FROM unnest(names) n (name) CROSS JOIN period p
            LEFT JOIN total t ON t.service_name = n.name AND t.i = p.i
            LEFT JOIN quantile q ON q.service_name = n.name AND q.i = p.i
            GROUP BY n.name
        ) s
    );
END
$function$
$create$,

        -- The newest check of each service, as 015 finds it, and the run of its status: what
        -- comes after the newest check of any other status, by (checked_at, id). It is read
        -- in its order, not as a whole, however short the planner takes it to be.
        $create$CREATE OR REPLACE FUNCTION %1$I.service_states(service_names text[] DEFAULT NULL::text[], seen_since timestamp with time zone DEFAULT NULL::timestamp with time zone, after_service text DEFAULT NULL::text, max_services integer DEFAULT 1000)
 RETURNS json
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET jit TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
#variable_conflict use_column
DECLARE
    statuses TEXT[]; -- that there are
BEGIN
    WITH RECURSIVE found AS (
        (SELECT c.status FROM %1$I.service_health_checks c ORDER BY c.status LIMIT 1)
        UNION ALL
        SELECT next.status FROM found f CROSS JOIN LATERAL (
            SELECT c.status FROM %1$I.service_health_checks c WHERE c.status > f.status ORDER BY c.status LIMIT 1
        ) next
    )
    SELECT array_agg(f.status) INTO statuses FROM found f;
    RETURN coalesce((
        WITH RECURSIVE newest AS (
            (SELECT c.* FROM %1$I.service_health_checks c
             WHERE service_names IS NULL AND c.service_name > coalesce(after_service, '')
             ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC NULLS LAST LIMIT 1)
            UNION ALL
            SELECT next.*
            FROM newest n CROSS JOIN LATERAL (
                SELECT c.* FROM %1$I.service_health_checks c
                WHERE c.service_name > n.service_name
                ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC NULLS LAST LIMIT 1
            ) next
        ), latest AS (
            SELECT * FROM newest
            UNION ALL
            SELECT c.*
            FROM (SELECT DISTINCT n FROM unnest(service_names) n) named (name) CROSS JOIN LATERAL (
                SELECT c.* FROM %1$I.service_health_checks c
                WHERE c.service_name = named.name
                ORDER BY c.service_name, c.checked_at DESC NULLS LAST, c.id DESC NULLS LAST LIMIT 1
            ) c
        )
        SELECT json_agg(json_build_object('latest', l.latest, 'since', run.since, 'checks', run.checks))
        FROM (
            SELECT l AS latest, l.service_name, l.status FROM latest l
            WHERE l.checked_at IS NOT NULL AND (seen_since IS NULL OR l.checked_at >= seen_since) LIMIT max_services
        ) l
        LEFT JOIN LATERAL (
            SELECT c.checked_at, c.id
            FROM unnest(statuses) s (status) CROSS JOIN LATERAL (
                SELECT c.checked_at, c.id FROM %1$I.service_health_checks c
                WHERE c.service_name = l.service_name AND c.status = s.status AND c.checked_at IS NOT NULL
                ORDER BY c.checked_at DESC, c.id DESC LIMIT 1
            ) c
            WHERE s.status <> l.status ORDER BY c.checked_at DESC, c.id DESC LIMIT 1
        ) changed ON true
        CROSS JOIN LATERAL (
            SELECT min(r.checked_at) AS since, count(*) AS checks
            FROM (
                SELECT c.checked_at FROM %1$I.service_health_checks c
                WHERE c.service_name = l.service_name AND c.status = l.status AND c.checked_at >= coalesce(changed.checked_at, '-infinity')
                    AND (changed.id IS NULL OR (c.checked_at, c.id) > (changed.checked_at, changed.id))
                ORDER BY c.checked_at LIMIT 10
            ) r
        ) run
    ), '[]');
END
$function$
$create$,

        $create$CREATE OR REPLACE FUNCTION %1$I.rebuild_service_history(since timestamp with time zone, until timestamp with time zone)
 RETURNS json
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
DECLARE
    today CONSTANT TIMESTAMP WITH TIME ZONE := date_trunc('day', clock_timestamp(), 'UTC');
    names TEXT[];
    of    TEXT[];
    hours TIMESTAMP WITH TIME ZONE[];
BEGIN
    IF current_setting('role') IN ('anon', 'authenticated') THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for function rebuild_service_history';
    END IF;
    WITH RECURSIVE found AS (
        (SELECT c.service_name FROM %1$I.service_health_checks c ORDER BY c.service_name LIMIT 1)
        UNION ALL
        SELECT next.service_name FROM found f CROSS JOIN LATERAL (
            SELECT c.service_name FROM %1$I.service_health_checks c WHERE c.service_name > f.service_name ORDER BY c.service_name LIMIT 1
        ) next
    )
    SELECT array_agg(f.service_name) INTO names FROM found f;

    -- Locked first, in the order of all; what another transaction stored by then is seen
    -- by the next statement, and what it stores from then on it adds after this one.
    WITH locked AS (
        INSERT INTO %1$I.service_history_hours AS h (service_name, hour)
        SELECT DISTINCT c.service_name, date_trunc('hour', c.checked_at, 'UTC')
        FROM %1$I.service_health_checks c
        WHERE c.service_name = ANY (names) AND c.checked_at >= since AND c.checked_at < until AND c.status IN ('healthy', 'degraded', 'down')
        ORDER BY 1, 2
        ON CONFLICT (service_name, hour) DO UPDATE SET checks = h.checks
        RETURNING h.service_name, h.hour
    )
    SELECT array_agg(l.service_name), array_agg(l.hour) INTO of, hours FROM locked l;

    WITH stored AS (
        SELECT c.service_name, c.checked_at, c.status, c.latency_ms FROM %1$I.service_health_checks c
        WHERE c.service_name = ANY (names) AND c.checked_at >= since AND c.checked_at < until
    )
    UPDATE %1$I.service_history_hours h SET healthy = s.healthy, degraded = s.degraded, down = s.down,
        checks = s.checks, sum_ms = s.sum_ms, min_ms = s.min_ms, max_ms = s.max_ms, counts = %1$I.count_latencies(s.latencies)
    FROM (
        %2$s
    ) s
    JOIN unnest(of, hours) l (service_name, hour) ON l.service_name = s.service_name AND l.hour = s.hour
    WHERE h.service_name = s.service_name AND h.hour = s.hour;

    INSERT INTO %1$I.service_history_days AS d (service_name, day)
    SELECT DISTINCT l.service_name, date_trunc('day', l.hour, 'UTC') FROM unnest(of, hours) l (service_name, hour) WHERE l.hour < today
    ORDER BY 1, 2
    ON CONFLICT (service_name, day) DO UPDATE SET stale = true WHERE NOT d.stale;
    RETURN json_build_object('hours', coalesce(cardinality(hours), 0));
END
$function$
$create$,

        $create$CREATE OR REPLACE FUNCTION %1$I.delete_service_history(older_than_days integer, max_rows integer DEFAULT 1000)
 RETURNS json
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
#variable_conflict use_column
DECLARE
    before  CONSTANT TIMESTAMP WITH TIME ZONE :=
        date_trunc('hour', (CURRENT_TIMESTAMP AT TIME ZONE 'UTC' - make_interval(days => older_than_days)) AT TIME ZONE 'UTC', 'UTC');
    of      TEXT[];
    hours   TIMESTAMP WITH TIME ZONE[];
BEGIN
    IF current_setting('role') IN ('anon', 'authenticated') THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for function delete_service_history';
    END IF;
    WITH RECURSIVE found AS (
        (SELECT h.service_name FROM %1$I.service_history_hours h ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT next.service_name FROM found f CROSS JOIN LATERAL (
            SELECT h.service_name FROM %1$I.service_history_hours h WHERE h.service_name > f.service_name ORDER BY 1 LIMIT 1
        ) next
    ), old AS (
        SELECT h.service_name, h.hour FROM found f CROSS JOIN LATERAL (
            SELECT h.service_name, h.hour FROM %1$I.service_history_hours h
            WHERE h.service_name = f.service_name AND h.hour < before ORDER BY h.hour LIMIT max_rows FOR UPDATE SKIP LOCKED
        ) h LIMIT max_rows
    ), gone AS (
        DELETE FROM %1$I.service_history_hours h USING old o WHERE h.service_name = o.service_name AND h.hour = o.hour
        RETURNING h.service_name, h.hour
    )
    SELECT array_agg(g.service_name), array_agg(g.hour) INTO of, hours FROM gone g;

    -- Days that have nothing left, or are to be summed up again. Those of the hours are
    -- locked first, in the order of all: one that is being summed up is waited for.
    INSERT INTO %1$I.service_history_days AS d (service_name, day)
    SELECT DISTINCT l.service_name, date_trunc('day', l.hour, 'UTC') FROM unnest(of, hours) l (service_name, hour)
    ORDER BY 1, 2
    ON CONFLICT (service_name, day) DO UPDATE SET stale = true;
    DELETE FROM %1$I.service_history_days d WHERE (d.service_name, d.day) IN (
        SELECT past.service_name, past.day
        FROM (SELECT l.service_name, max(l.hour) AS hour FROM unnest(of, hours) l (service_name, hour) GROUP BY l.service_name) l
        JOIN %1$I.service_history_days past ON past.service_name = l.service_name AND past.day <= l.hour
        FOR UPDATE OF past SKIP LOCKED
    );
    RETURN json_build_object('deleted', coalesce(cardinality(hours), 0));
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
    FOR found IN
        SELECT want.name, c.oid, c.relkind, want.columns, pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS is_owner
        FROM (VALUES
            ('service_history_hours', '{service_name character varying(100),hour timestamp with time zone,healthy bigint,degraded bigint,down bigint,checks bigint,sum_ms bigint,min_ms integer,max_ms integer,counts integer[]}'),
            ('service_history_days', '{service_name character varying(100),day timestamp with time zone,stale boolean,checks bigint,sum_ms bigint,min_ms integer,max_ms integer,counts integer[]}')
        ) AS want (name, columns) JOIN pg_class c ON c.relname = want.name AND c.relnamespace = quote_ident(home)::regnamespace
    LOOP
        SELECT string_agg(coalesce(want, has) || CASE WHEN want IS NULL THEN ' is not expected' ELSE ' is missing' END, '; ') INTO problem
        FROM unnest(regexp_split_to_array(btrim(found.columns, '{}'), ',')) want
        FULL JOIN (
            SELECT attname || ' ' || format_type(atttypid, atttypmod) AS has, attnotnull AND NOT (atthasdef OR attidentity <> '') AS required
            FROM pg_attribute WHERE attrelid = found.oid AND attnum > 0 AND NOT attisdropped
        ) a ON a.has = want
        WHERE has IS NULL OR want IS NULL AND required;
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
        SELECT c.relname AS name, (i.indisvalid AND i.indisready AND i.indislive) AS valid, regexp_replace(replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '), ' WITH \([^)]*\)', '') = 'CREATE ' || format(want, home) AS same
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

    -- An hour is written up to sixty times, and none of what changes is in an index: with
    -- room on its page for the next version of all its rows, these updates are HOT.
    CREATE TABLE IF NOT EXISTS service_history_hours (
        service_name VARCHAR(100) COLLATE "C" NOT NULL,
        hour         TIMESTAMP WITH TIME ZONE NOT NULL,
        healthy      BIGINT NOT NULL DEFAULT 0, -- bit n: minute n saw such a check
        degraded     BIGINT NOT NULL DEFAULT 0,
        down         BIGINT NOT NULL DEFAULT 0,
        checks       BIGINT NOT NULL DEFAULT 0, -- with a latency, and not down; the rest is of these
        sum_ms       BIGINT NOT NULL DEFAULT 0,
        min_ms       INTEGER,
        max_ms       INTEGER,
        counts       INTEGER[] NOT NULL DEFAULT '{}', -- by bucket of latency
        PRIMARY KEY (service_name, hour)
    ) WITH (fillfactor = 40);
    CREATE TABLE IF NOT EXISTS service_history_days (
        service_name VARCHAR(100) COLLATE "C" NOT NULL,
        day          TIMESTAMP WITH TIME ZONE NOT NULL,
        stale        BOOLEAN NOT NULL DEFAULT true, -- the hours are to be summed up first
        checks       BIGINT NOT NULL DEFAULT 0,
        sum_ms       BIGINT NOT NULL DEFAULT 0,
        min_ms       INTEGER,
        max_ms       INTEGER,
        counts       INTEGER[] NOT NULL DEFAULT '{}',
        PRIMARY KEY (service_name, day)
    );
    FOREACH definition IN ARRAY needed LOOP
        IF to_regclass(substring(definition FROM 'idx_\w+')) IS NULL THEN
            EXECUTE 'CREATE ' || format(definition, home);
        END IF;
    END LOOP;
    FOREACH definition IN ARRAY functions LOOP
        IF NOT EXISTS (
            SELECT FROM pg_proc WHERE pronamespace = quote_ident(home)::regnamespace AND proname = substring(definition FROM '%1\$I\.(\w+)')
                AND pg_get_functiondef(oid) = format(definition, home, summed)
        ) THEN
            EXECUTE format(definition, home, summed);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'service_health_checks'::regclass AND tgname = 'keep_service_history') THEN
        CREATE TRIGGER keep_service_history AFTER INSERT ON service_health_checks
            REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION keep_service_history();
    END IF;

    -- Who may, and what there may be too much of: on older projects anon, authenticated
    -- and service_role are granted everything by default.
    FOR found IN
        WITH things AS (
            SELECT 'TABLE' AS kind, c.oid, c.oid::regclass::TEXT AS name, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl, c.relowner AS owner, '{SELECT}'::TEXT[] AS needs
            FROM pg_class c WHERE c.oid IN ('service_history_hours'::regclass, 'service_history_days'::regclass)
            UNION ALL
            SELECT 'FUNCTION', p.oid, p.oid::regprocedure::TEXT, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner,
                CASE WHEN p.prorettype = 'json'::regtype THEN '{EXECUTE}' ELSE '{}' END::TEXT[]
            FROM unnest(functions) f JOIN pg_proc p ON p.pronamespace = quote_ident(home)::regnamespace AND pg_get_functiondef(p.oid) = format(f, home, summed)
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
        WHERE c.oid IN ('service_history_hours'::regclass, 'service_history_days'::regclass) AND NOT c.relrowsecurity
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
