package canned

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
)

// question is what of a request decides its answer.
type question struct {
	method  byte // its first letter and second, for POST and PATCH: see methodOf
	alerts  bool // the table is alert_events, not service_health_checks
	limit   int  // 0: none
	service int  // the number of the one service that is asked for, from 1 on; 0: any
	object  bool // one row, not an array
	minimal bool // no row
}

// The methods that are answered.
const (
	get   = 'G'
	post  = 'O'
	patch = 'A'
)

// methodOf tells methods apart by the letters in which they differ.
func methodOf(method []byte) byte {
	if len(method) < 3 {
		return 0
	}
	if method[0] == 'P' {
		return method[1]
	}
	return method[0]
}

// request is a question, and the id of the row that it is about, if of one.
type request struct {
	question
	id [36]byte
}

// ask reads method and request URI.
func ask(method, uri []byte) request {
	path, query, _ := bytes.Cut(uri, []byte{'?'})
	q := request{question: question{method: methodOf(method), alerts: bytes.HasSuffix(path, []byte("/alert_events"))}}
	for len(query) > 0 {
		var parameter []byte
		parameter, query, _ = bytes.Cut(query, []byte{'&'})
		if value, ok := bytes.CutPrefix(parameter, []byte("limit=")); ok {
			q.limit = number(value)
		}
		if value, ok := bytes.CutPrefix(parameter, []byte("service_name=eq.service-")); ok {
			q.service = number(value) + 1
		}
		if value, ok := bytes.CutPrefix(parameter, []byte("id=eq.")); ok {
			copy(q.id[:], value)
		}
	}
	return q
}

// accept takes one value of Accept into account; postgrest-go sends two.
func (q *question) accept(value []byte) {
	q.object = q.object || bytes.Contains(value, []byte("application/vnd.pgrst.object+json"))
}

// prefer takes one value of Prefer into account.
func (q *question) prefer(value []byte) {
	q.minimal = q.minimal || bytes.Contains(value, []byte("return=minimal"))
}

// number reads a decimal number; what is none is 0.
func number(digits []byte) int {
	n := 0
	for _, digit := range digits {
		if digit < '0' || digit > '9' || n > 1<<30 {
			return 0
		}
		n = n*10 + int(digit-'0')
	}
	return n
}

// answer is a finished answer.
type answer struct {
	status      int
	contentType string
	rows        string // Content-Range
	body        []byte
	wire        []byte // the whole of it in HTTP/1.1
	id          int    // where in wire the first row's id is
}

// answers are all that the server has to say, made before it starts.
type answers map[question]*answer

func newAnswers() answers {
	all := answers{}
	for _, alerts := range []bool{false, true} {
		write := check
		if alerts {
			write = alert
		}
		one, object := rows(write, 1), row(write, 0)
		all.add(question{method: post, alerts: alerts}, http.StatusCreated, 1, one)
		all.add(question{method: post, alerts: alerts, object: true}, http.StatusCreated, 1, object)
		all.add(question{method: post, alerts: alerts, minimal: true}, http.StatusCreated, 0, nil)
		all.add(question{method: patch, alerts: alerts}, http.StatusOK, 1, one)
		all.add(question{method: patch, alerts: alerts, object: true}, http.StatusOK, 1, object)
		for _, limit := range []int{1, 100, mostRows} {
			all.add(question{method: get, alerts: alerts, limit: limit}, http.StatusOK, limit, rows(write, limit))
		}
		for service := range services + 1 {
			for _, limit := range []int{0, 1} {
				all.add(question{method: get, alerts: alerts, limit: limit, service: service, object: true}, http.StatusOK, 1, row(write, max(service-1, 0)))
			}
		}
	}
	all.add(question{}, http.StatusNotImplemented, 0, []byte(`{"code":"BENCH","message":"no such answer is canned","details":null,"hint":null}`))
	return all
}

func (all answers) add(q question, status, count int, body []byte) {
	a := &answer{status: status, contentType: "application/json; charset=utf-8", rows: "*/*", body: body}
	if q.object {
		a.contentType = "application/vnd.pgrst.object+json; charset=utf-8"
	}
	if count > 0 {
		a.rows = fmt.Sprintf("0-%d/*", count-1)
	}
	a.wire = fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nDate: Fri, 20 Nov 2026 10:30:00 GMT\r\nServer: canned\r\nContent-Type: %s\r\nContent-Range: %s\r\nContent-Length: %s\r\n\r\n",
		status, http.StatusText(status), a.contentType, a.rows, strconv.Itoa(len(body)))
	a.wire = append(a.wire, body...)
	a.id = bytes.Index(a.wire, []byte(`"id":"`)) + len(`"id":"`)
	all[q] = a
}

// to returns the answer to a request; what is not canned is answered by 501.
func (all answers) to(r request) *answer {
	q := r.question
	if q.minimal {
		q.object = false // there is no row to be an object
	}
	a, ok := all[q]
	switch {
	case !ok:
		return all[question{}]
	case q.method == patch: // of one row among thousands
		wire := bytes.Clone(a.wire)
		copy(wire[a.id:], r.id[:])
		return &answer{a.status, a.contentType, a.rows, wire[len(wire)-len(a.body):], wire, a.id}
	}
	return a
}
