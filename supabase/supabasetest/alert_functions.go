package supabasetest

import (
	"encoding/json"
	"strconv"
	"time"
)

// alertFunctions are those of migration 016, by their names.
var alertFunctions = map[string]alertFunction{
	"raise_alert": {raiseAlert, []parameterOf{
		{"id", uuidKind{}, true},
		{"service_name", textKind{}, true},
		{"alert_type", textKind{}, true},
		{"dedup_key", textKind{}, false},
		{"message", textKind{}, false},
		{"details", textKind{}, false},
	}},
	"resolve_open_alerts": {resolveOpenAlerts, []parameterOf{
		{"request_id", uuidKind{}, true},
		{"service_name", textKind{}, true},
		{"alert_type", textKind{}, true},
		{"dedup_key", textKind{}, false},
		{"by", textKind{}, false},
		{"reason", textKind{}, false},
	}},
	"transition_alert": {transitionAlert, []parameterOf{
		{"request_id", uuidKind{}, true},
		{"id", uuidKind{}, true},
		{"to_status", textKind{}, true},
		{"by", textKind{}, false},
		{"reason", textKind{}, false},
	}},
	"alert_history": {alertHistory, []parameterOf{{"alert_id", uuidKind{}, true}}},
	"alert_response_times": {alertResponseTimes, []parameterOf{
		{"service_name", textKind{}, false}, {"alert_type", textKind{}, false}, {"since", timestampKind{}, false}, {"until", timestampKind{}, false},
	}},
	"claim_alert_notifications": {claimAlertNotifications, []parameterOf{
		{"request_id", uuidKind{}, true}, {"lease_ms", textKind{}, false}, {"remind_every_ms", textKind{}, false}, {"max_rows", textKind{}, false},
	}},
	"confirm_alert_notification": {confirmAlertNotification, []parameterOf{
		{"alert_id", uuidKind{}, true}, {"kind", textKind{}, true}, {"token", uuidKind{}, true},
	}},
	"delete_resolved_alerts": {deleteResolvedAlerts, []parameterOf{{"older_than_days", textKind{}, true}, {"max_rows", textKind{}, false}}},
}

type alertFunction struct {
	run        func(*alertCall) ([]byte, error)
	parameters []parameterOf
}

// parameterOf a function. One that is not required has a default.
type parameterOf struct {
	name     string
	kind     kind // of whole numbers, their text's
	required bool
}

// alertCall is a call under way: a transaction by itself, under the store's lock.
type alertCall struct {
	table *table
	log   *alertLog
	args  map[string]value // absent: the default
	now   instant          // clock_timestamp()
}

// read reads the arguments of a call, and says whether they are the function's: with
// others, PostgREST finds none of that name.
func (f alertFunction) read(args map[string]json.RawMessage) (values map[string]value, known bool, err error) {
	values, given := map[string]value{}, 0
	for _, p := range f.parameters {
		raw, there := args[p.name]
		if !there && p.required {
			return nil, false, nil
		}
		if !there {
			continue
		}
		given++
		v, failed := fromJSON(p.kind, raw, false)
		switch {
		case failed != nil && err == nil:
			err = failed
		case v == nil && p.required && err == nil:
			err = unsupported("%s=null", p.name)
		case v != nil:
			values[p.name] = v
		}
	}
	return values, given == len(args), err
}

func (s *store) callAlertFunction(f alertFunction, args map[string]value) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &alertCall{table: s.table("alert_events"), log: s.alerts, args: args, now: instantOf(time.Now())}
	return f.run(c)
}

// text is an argument that is a text or UUID, "" where it is NULL.
func (c *alertCall) text(name string) string {
	text, _ := c.args[name].(string)
	return text
}

func (c *alertCall) number(name string, fallback int64) (int64, error) {
	text := c.text(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, unsupported("%s=%s", name, text)
	}
	return n, nil
}

// get is the value of a column of an alert, and set that of another version of it.
func (c *alertCall) get(r *row, column string) value { return r.values[c.table.index(column)] }

func (c *alertCall) set(r *row, column string, v value) { r.values[c.table.index(column)] = v }

// put stores an alert, in place of another unless that is nil.
func (c *alertCall) put(old, r *row) error {
	var done change
	if err := replace(c.table, old, r, &done); err != nil {
		return err
	}
	c.table.apply(&done)
	return nil
}

func (c *alertCall) appendAlert(data []byte, r *row) []byte {
	return c.table.appendRow(data, r, c.table.all())
}

// said is what a function says of an alert: {"alert" : {…}, "opened" : true}.
func (c *alertCall) said(r *row, what string, is bool) []byte {
	data := c.appendAlert([]byte(`{"alert" : `), r)
	return append(data, `, "`+what+`" : `+strconv.FormatBool(is)+`}`...)
}

func conflict(message string) *failure {
	return &failure{status: statusOf("PT409"), code: "PT409", message: message}
}
