package supabasetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newLatencies starts a server with five checks: a to e, with the latencies 1,
// 2, NULL, 4 and NULL.
func newLatencies(t *testing.T) *Server {
	t.Helper()
	server := newTestServer(t)
	r := server.must(t, http.MethodPost, "service_health_checks", `[
		{"service_name": "a", "status": "healthy", "latency_ms": 1},
		{"service_name": "b", "status": "healthy", "latency_ms": 2},
		{"service_name": "c", "status": "down", "latency_ms": null},
		{"service_name": "d", "status": "down", "latency_ms": 4},
		{"service_name": "e", "status": "degraded", "latency_ms": null}]`)
	require.Equal(t, http.StatusCreated, r.status, r.body)
	return server
}

// names reads the service names that a query finds, in its order.
func (s *Server) names(t *testing.T, query string) string {
	t.Helper()
	r := s.must(t, http.MethodGet, "service_health_checks?select=service_name&"+query, "")
	require.Equal(t, http.StatusOK, r.status, "%s: %s", query, r.body)
	var rows []map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.body), &rows))
	var names strings.Builder
	for _, row := range rows {
		names.WriteString(row["service_name"])
	}
	return names.String()
}

func TestFilters(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	for query, want := range map[string]string{
		"latency_ms=gt.1":                             "bd",
		"latency_ms=neq.1":                            "bd", // NULL is not unequal
		"latency_ms=not.eq.1":                         "bd",
		"latency_ms=not.in.(1,2)":                     "d",
		"latency_ms=in.()":                            "",
		"latency_ms=isdistinct.1":                     "bcde",
		"latency_ms=not.isdistinct.1":                 "a",
		"latency_ms=is.not_null":                      "abd",
		"latency_ms=not.is.not_null":                  "ce",
		"or=(latency_ms.is.null,latency_ms.gt.2)":     "cde",
		"not.and=(latency_ms.gt.0,status.eq.healthy)": "cde",
		"latency_ms=not.in.()":                        "abcde",
		"latency_ms=gte.2&latency_ms=lt.4":            "b",
		"service_name=like.*":                         "abcde",
		"service_name=ilike.A":                        "a",
		"service_name=like._":                         "abcde",
		"service_name=like.%5C_":                      "",
		"or=(latency_ms.lt.2,status.eq.down)":         "acd",
		"not.or=(latency_ms.lt.2,status.eq.down)":     "b", // e: unknown
		"and=(or(service_name.eq.a,service_name.eq.%22b%22),status.neq.down)": "ab",
		"and=(not.and(status.eq.down,latency_ms.is.null),latency_ms.is.null)": "e",
		"status=eq.down&or=(service_name.gt.c,service_name.lt.a)":             "d",
		"order=latency_ms":                                  "abdce",
		"order=latency_ms.desc":                             "cedba",
		"order=latency_ms.desc.nullslast":                   "dbace",
		"order=latency_ms.asc.nullsfirst,service_name.desc": "ecabd",
		"order=status,service_name.desc&limit=3&offset=1":   "dcb",
		"offset=9": "",
	} {
		require.Equal(t, want, server.names(t, query), query)
	}
}

func TestKeysetPages(t *testing.T) {
	t.Parallel()
	server := newTestServer(t)
	server.SetMaxRows(3)
	rows := make([]string, 20)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"service_name": "db", "status": "down", "created_at": "2026-01-02T03:04:0%dZ"}`, i%4)
	}
	server.must(t, http.MethodPost, "service_health_checks", "["+strings.Join(rows, ",")+"]")
	seen := map[string]bool{}
	for query := ""; ; {
		r := server.must(t, http.MethodGet, "service_health_checks?select=id,created_at&order=created_at.desc.nullslast,id.desc"+query, "")
		var page []struct {
			ID        string `json:"id"`
			CreatedAt string `json:"created_at"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.body), &page), r.body)
		if len(page) == 0 {
			break
		}
		for _, row := range page {
			require.False(t, seen[row.ID])
			seen[row.ID] = true
		}
		last := page[len(page)-1]
		query = "&" + url.Values{
			"created_at": {"lte." + last.CreatedAt},
			"or":         {fmt.Sprintf(`(created_at.lt.%s,id.lt.%s)`, quote(last.CreatedAt), quote(last.ID))},
		}.Encode()
	}
	require.Len(t, seen, len(rows))
}

func TestReadAnswers(t *testing.T) {
	t.Parallel()
	server := newLatencies(t)
	r := server.must(t, http.MethodGet, "service_health_checks?select=service_name,latency_ms&limit=2", "", "Accept-Profile: public")
	bytewise := "[{\"service_name\":\"a\",\"latency_ms\":1}, \n {\"service_name\":\"b\",\"latency_ms\":2}]"
	require.Equal(t, bytewise, r.body)
	require.Equal(t, "public", r.header.Get("Content-Profile"))
	r = server.must(t, http.MethodGet, "service_health_checks?limit=0", "", "Prefer: count=exact")
	require.Equal(t, http.StatusPartialContent, r.status)
	require.Equal(t, "*/5", r.header.Get("Content-Range"))
	r = server.must(t, http.MethodGet, "service_health_checks?select=id,nope", "")
	require.Contains(t, r.body, "column service_health_checks.nope does not exist")
	r = server.must(t, http.MethodGet, "service_health_checks?order=nope", "")
	require.Contains(t, r.body, "42703")
	// Names are looked up before values are read.
	r = server.must(t, http.MethodGet, "service_health_checks?id=eq.x&or=(nope.eq.1)", "")
	require.Contains(t, r.body, "42703")
}
