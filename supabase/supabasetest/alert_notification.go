package supabasetest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

var notificationKinds = []string{"opened", "resolved", "reminder"}

func claimAlertNotifications(c *alertCall) ([]byte, error) {
	request := c.text("request_id")
	leaseMS, err := c.number("lease_ms", 60_000)
	remindMS, err2 := c.number("remind_every_ms", 0)
	most, err3 := c.number("max_rows", 100)
	if err := cmp.Or(err, err2, err3); err != nil {
		return nil, err
	}
	const call = "claim_alert_notifications"
	ids := c.due(remindMS, most)
	_, called := c.log.requests[request]
	if !called && len(ids) == 0 {
		return []byte("[]"), nil
	}
	again, err := c.log.begin(request, call, c.now)
	if err != nil {
		return nil, err
	}
	if again {
		ids = ids[:0]
		for id, n := range c.log.notifications {
			if n.leased != "" && n.leased == n.next && n.by[n.leased] == request {
				ids = append(ids, id)
			}
		}
	}
	for _, id := range ids {
		n := c.log.notifications[id]
		n.leased, n.leasedUntil = n.next, c.now+milliseconds(leaseMS)
		n.by[n.next] = request
	}
	slices.SortFunc(ids, c.compareDue)
	data := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			data = append(data, ", "...)
		}
		data = append(data, `{"kind" : "`+c.log.notifications[id].leased+`", "alert" : `...)
		data = append(c.appendAlert(data, c.table.byID[id]), '}')
	}
	return append(data, ']'), nil
}

// due returns the alerts that people are to be told of, and nobody is about to.
func (c *alertCall) due(remindMS, most int64) (ids []string) {
	for id, n := range c.log.notifications {
		reminding := remindMS > 0 && n.since <= c.now-milliseconds(remindMS)
		if n.next != "" && (n.next != "reminder" || reminding) && (n.leased == "" || n.leasedUntil <= c.now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, c.compareDue)
	return ids[:min(int64(len(ids)), most)]
}

func (c *alertCall) compareDue(a, b string) int {
	x, y := c.log.notifications[a], c.log.notifications[b]
	return cmp.Or(cmp.Compare(slices.Index(notificationKinds, x.next), slices.Index(notificationKinds, y.next)),
		cmp.Compare(x.since, y.since), strings.Compare(a, b))
}

func milliseconds(n int64) instant { return instant(n * int64(time.Millisecond/time.Microsecond)) }

func confirmAlertNotification(c *alertCall) ([]byte, error) {
	kind := c.text("kind")
	n := c.log.notifications[c.text("alert_id")]
	if n == nil {
		return []byte("null"), nil
	}
	if n.by[kind] != c.text("token") {
		return nil, conflict("another claim has the notification")
	}
	if n.leased == kind {
		n.next, n.since, n.leased = "", c.now, ""
		if status := c.get(c.table.byID[c.text("alert_id")], "status"); kind != "resolved" && status == "resolved" {
			n.next = "resolved"
		} else if kind != "resolved" && status == "active" {
			n.next = "reminder"
		}
	}
	return []byte("true"), nil
}
