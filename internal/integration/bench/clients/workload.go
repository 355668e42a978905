package clients

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/supavigil/supavigil/healthcheck"
)

// Case is what is measured of each client.
type Case string

// The cases.
const (
	Create       Case = "Create"
	FindLatest   Case = "FindLatestByService"
	FindAll100   Case = "FindAll/100"
	FindAll1000  Case = "FindAll/1000"
	Acknowledge  Case = "Acknowledge"
	CreateMany   Case = "CreateMany/1000"
	manyRows          = 1000
	serviceCount      = 50 // as queryplans.Fill
)

// Cases are all cases.
func Cases() []Case {
	return []Case{Create, FindLatest, FindAll100, FindAll1000, Acknowledge, CreateMany}
}

// Alerts is how many different alerts are acknowledged; a server that keeps
// them must have them, with the ids of AlertID, active.
const Alerts = 1 << 14

// AlertID is the id of an alert to acknowledge.
func AlertID(n int) string {
	return uuid.UUID{6: 0x70, 8: 0x80, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}.String() //nolint:gosec // cut on purpose
}

// work is what the callers have in hand when they call: the same for every
// client, and made before anything is measured.
type work struct {
	services []string
	checks   []healthcheck.CreateHealthCheckData
}

func newWork() *work {
	w := &work{services: make([]string, serviceCount), checks: make([]healthcheck.CreateHealthCheckData, manyRows)}
	for n := range w.services {
		w.services[n] = "service-" + strconv.Itoa(n)
	}
	details := map[string]any{"region": "eu-central-1", "dns_ms": 3.25, "http_status": 200}
	now, message := time.Now(), "upstream answered 503 after 2 tries: connection reset by peer"
	for n := range w.checks {
		w.checks[n] = healthcheck.CreateHealthCheckData{
			ServiceName: w.service(n), Status: healthcheck.StatusHealthy, LatencyMS: new(12 + n%300),
			ProbeDetails: details, CheckedAt: now.Add(time.Duration(n) * time.Millisecond),
		}
		if n%2 == 1 {
			w.checks[n].Status, w.checks[n].ErrorMessage = healthcheck.StatusDegraded, &message
		}
	}
	return w
}

func (w *work) service(n int) string { return w.services[n%serviceCount] }

func (w *work) check(n int) healthcheck.CreateHealthCheckData { return w.checks[n%manyRows] }
