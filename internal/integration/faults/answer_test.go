package faults_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// answerFaults are answers that refuse, by PostgREST or what stands before it.
func answerFaults() []fault {
	const unavailable = "unavailable"
	var faults []fault
	for _, f := range []struct {
		status    int
		name      string // the code, where there is one
		message   string
		class     string
		final     bool
		ambiguous bool // it may come after the request was carried out as well
	}{
		{status: 301, final: true},
		{status: 300, name: "PGRST203", final: true},
		{status: 400, name: "22P02", final: true},
		{status: 401, name: "PGRST301", class: "permission", final: true},
		{status: 403, name: "42501", class: "permission", final: true},
		{status: 404, name: "PGRST205", class: "schema", final: true},
		{status: 409, name: "23503", class: "conflict", final: true},
		{status: 408, ambiguous: true},
		{status: 429, class: unavailable},
		{status: 500, class: unavailable, ambiguous: true},
		{status: 500, name: "XX000", class: unavailable, final: true},
		{status: 500, name: "57014", class: unavailable, final: true},
		{status: 500, name: "40001", class: unavailable},
		{status: 500, name: "40P01", class: unavailable},
		{status: 501, class: unavailable, final: true},
		{status: 502, class: unavailable, ambiguous: true},
		{status: 503, name: "PGRST000", class: unavailable},
		{status: 503, name: "PGRST001", class: unavailable, ambiguous: true},
		{status: 503, name: "PGRST002", class: unavailable},
		{status: 504, name: "PGRST003", class: unavailable},
		{status: 503, name: "57P01", class: unavailable, ambiguous: true},
		{status: 504, class: unavailable, ambiguous: true},
		{status: 520, class: unavailable, ambiguous: true},
		{status: 521, class: unavailable},
		{status: 522, class: unavailable, ambiguous: true},
		{status: 523, class: unavailable},
		{status: 524, class: unavailable, ambiguous: true},
		{status: 544, class: unavailable, ambiguous: true},
		{status: 401, name: "PGRST303", message: "JWT issued at future", class: "permission"},
		{status: 401, name: "PGRST303", message: "JWT expired", class: "permission", final: true},
	} {
		kind, body := "text/html", "<html><body>sorry</body></html>"
		name := fmt.Sprintf("%d HTML", f.status)
		if f.name != "" {
			kind, body = "application/json; charset=utf-8", fmt.Sprintf(`{"code":%q,"details":null,"hint":null,"message":%q}`, f.name, f.message)
			name = fmt.Sprintf("%d %s %s", f.status, f.name, f.message)
		}
		faults = append(faults, fault{
			name: name, answer: reply(f.status, kind, body), final: f.final, status: f.status, code: f.name, class: f.class,
			unclear: f.ambiguous,
		})
		if f.ambiguous {
			faults = append(faults, fault{
				name: name + ", carried out", answer: afterwards(reply(f.status, kind, body)), ran: true, unclear: true,
				status: f.status, code: f.name, class: f.class,
			})
		}
	}
	for value, f := range map[string]fault{
		"0":                             {},
		"2":                             {wait: 2 * time.Second},
		"3600":                          {final: true}, // 30 s of it count, which the caller has not got
		"date":                          {wait: 2 * time.Second},
		"Wed, 21 Oct 2015 07:28:00 GMT": {},
		"soon":                          {},
	} {
		f.name, f.status, f.class, f.unclear = "503 with Retry-After "+value, 503, unavailable, true
		f.answer = func(s *stand, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", strings.Replace(value, "date", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat), 1))
			reply(503, "text/plain", "later")(s, w, r)
		}
		faults = append(faults, f)
	}
	return faults
}

func reply(status int, kind, body string) func(*stand, http.ResponseWriter, *http.Request) {
	return func(_ *stand, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// afterwards carries the request out, and then answers differently.
func afterwards(answer func(*stand, http.ResponseWriter, *http.Request)) func(*stand, http.ResponseWriter, *http.Request) {
	return func(s *stand, w http.ResponseWriter, r *http.Request) {
		s.double.ServeHTTP(httptest.NewRecorder(), r)
		answer(s, w, r)
	}
}
