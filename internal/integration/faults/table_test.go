package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// change counts the rows that differ between two looks at the tables.
type change struct{ added, removed, altered int }

// tables are the rows of both tables, as JSON, by table and id.
type tables map[string]string

// since compares with an earlier look.
func (now tables) since(before tables) change {
	var c change
	for id, row := range now {
		earlier, found := before[id]
		switch {
		case !found:
			c.added++
		case earlier != row:
			c.altered++
		}
	}
	for id := range before {
		if _, found := now[id]; !found {
			c.removed++
		}
	}
	return c
}

// stock fills the double's tables: old rows for retention, in each table one row that
// the operations are about, and two raised alerts, one of them claimed.
func stock(t *testing.T, double *supabasetest.Server) {
	t.Helper()
	old := time.Now().AddDate(0, 0, -400).UTC().Format(time.RFC3339)
	recent := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	var checks, alerts []string
	for i := range oldRows {
		id := fmt.Sprintf("00000000-0000-4000-8000-00000000001%d", i)
		checks = append(checks, fmt.Sprintf(`{"id":%q,"service_name":"old","status":"down","checked_at":%q,"created_at":%q}`, id, old, old))
		alerts = append(alerts, fmt.Sprintf(`{"id":%q,"service_name":"old","alert_type":"recovery","status":"resolved","created_at":%q}`, id, old))
	}
	checks = append(checks, fmt.Sprintf(`{"id":%q,"service_name":"subject","status":"healthy","checked_at":%q,"created_at":%q}`, subject, recent, recent))
	alerts = append(alerts, fmt.Sprintf(`{"id":%q,"service_name":"subject","alert_type":"service_down","status":"active","created_at":%q}`, subject, recent))
	for table, rows := range map[string][]string{checksTable: checks, alertsTable: alerts} {
		answer := direct(double, http.MethodPost, table, "["+strings.Join(rows, ",")+"]")
		require.Equal(t, http.StatusCreated, answer.Code, answer.Body)
	}
	for _, call := range [][2]string{
		{"raise_alert", fmt.Sprintf(`{"id":%q,"service_name":"claimed","alert_type":"service_down","dedup_key":"","message":null,"details":null}`, claimed)},
		{"claim_alert_notifications", fmt.Sprintf(`{"request_id":%q,"lease_ms":86400000,"remind_every_ms":0,"max_rows":1}`, claimed)},
		{"raise_alert", `{"id":"00000000-0000-4000-8000-000000000003","service_name":"raised","alert_type":"service_down","dedup_key":"","message":null,"details":null}`},
	} {
		answer := direct(double, http.MethodPost, "rpc/"+call[0], call[1])
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	}
}

// look reads both tables.
func look(t *testing.T, double *supabasetest.Server) tables {
	t.Helper()
	found := tables{}
	for _, table := range []string{checksTable, alertsTable} {
		answer := direct(double, http.MethodGet, table, "")
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
		var rows []json.RawMessage
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &rows))
		for _, row := range rows {
			var key struct {
				ID string `json:"id"`
			}
			require.NoError(t, json.Unmarshal(row, &key))
			found[table+" "+key.ID] = string(row)
		}
	}
	return found
}

// direct asks the double without a network; such requests are not recorded.
func direct(double *supabasetest.Server, method, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(context.Background(), method, "/rest/v1/"+path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+string(double.Key))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	double.ServeHTTP(answer, request)
	return answer
}
