package canned

import (
	"bytes"
	"fmt"
	"time"
)

const (
	mostRows = 1000 // in a list
	services = 50
)

// newest is when the first row was stored; each further one is a second older.
var newest = time.Date(2026, 11, 20, 10, 30, 0, 123456000, time.UTC)

const stamp = "2006-01-02T15:04:05.000000-07:00"

// check writes a row of service_health_checks as PostgREST does. Every other
// one failed, and says why.
func check(out *bytes.Buffer, n int) {
	createdAt := newest.Add(-time.Duration(n) * time.Second)
	status, latency, message := "healthy", 12+n%300, "null"
	if n%2 == 1 {
		status, message = "degraded", `"upstream answered 503 after 2 tries: connection reset by peer"`
	}
	fmt.Fprintf(out, `{"id":%q,"service_name":"service-%d","status":%q,"latency_ms":%d,"checked_at":%q,"error_message":%s,`+
		`"probe_details":{"region": "eu-central-1", "dns_ms": %d.25, "http_status": 200},"created_at":%q}`,
		id(n), n%services, status, latency, createdAt.Add(-20*time.Millisecond).Format(stamp), message, n%40, createdAt.Format(stamp))
}

// alert writes a row of alert_events that has just been acknowledged.
func alert(out *bytes.Buffer, n int) {
	createdAt := newest.Add(-time.Duration(n) * time.Minute)
	fmt.Fprintf(out, `{"id":%q,"service_name":"service-%d","alert_type":"service_down","status":"acknowledged",`+
		`"message":"3 probes failed in a row","details":{"region": "eu-central-1", "failures": 3, "threshold": 0.95},`+
		`"created_at":%q,"acknowledged_at":%q,"resolved_at":null}`,
		id(n), n%services, createdAt.Format(stamp), newest.Format(stamp))
}

// id is a UUID of version 7 that is the smaller the older its row.
func id(n int) string { return fmt.Sprintf("019aa0c4-%04x-7abc-8def-0123456789ab", 0xffff-n) }

// rows writes the first rows of a list as an array.
func rows(write func(*bytes.Buffer, int), count int) []byte {
	var out bytes.Buffer
	out.WriteByte('[')
	for n := range count {
		if n > 0 {
			out.WriteString(",\n ") // as PostgREST does
		}
		write(&out, n)
	}
	out.WriteByte(']')
	return out.Bytes()
}

// row writes the row of a number.
func row(write func(*bytes.Buffer, int), n int) []byte {
	var out bytes.Buffer
	write(&out, n)
	return out.Bytes()
}
