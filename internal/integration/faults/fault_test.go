package faults_test

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// A fault is one way in which a call can go wrong, and what is promised for it:
// for every operation alike, since a write of the models is as repeatable as a
// read.
type fault struct {
	name string

	// network makes the proxy before the double do harm; until it is renewed.
	network func(*testing.T, *stand)
	// answer takes the double's place for one request.
	answer func(*stand, http.ResponseWriter, *http.Request)
	// warm has a connection idling in the pool when the fault comes.
	warm bool

	// ran says that the request was carried out all the same.
	ran bool
	// unclear says that the answer leaves open whether it was: what an operation that
	// reads back would have written is looked for.
	unclear bool
	// lost says that the request never arrives.
	lost bool
	// hangs says that nothing but a time limit ends an attempt.
	hangs bool
	// final says that trying again could not help, or would take longer than
	// the caller has.
	final bool
	// harmless says that the call succeeds.
	harmless bool
	// body says that the fault lies in an answer's body.
	body bool
	// wait is what the server asks to wait before the next try.
	wait time.Duration

	// What the caller gets when the fault does not pass; with the status
	// answered, that of the answer which could not be used.
	status int
	code   string
	class  string // "": none

	// result changes what a harmless fault lets the caller see.
	result func(string) string
	// resent says that net/http meets it: where a connection that has been used
	// before closes without an answer, it sends a read again by itself. Attempts
	// does not count that.
	resent bool
	// attempts are those of operations for which some answers slip through a
	// fault that stays.
	attempts map[string]int
	// only are the operations it is tried on; nil: all.
	only []string
	// heavy faults are tried one at a time: they take memory and computing, and
	// those that wait for a time limit would miss it beside them.
	heavy bool
}

// answered stands for a status below 300.
const answered = -1

// A form is how long a fault lasts.
type form string

const (
	// once means that the second attempt meets no fault.
	once form = "once"
	// always means that every attempt meets it.
	always form = "always"
	// deadline means that the caller's own deadline ends what hangs.
	deadline form = "deadline"
	// later means that the operation's first request goes well, or is carried
	// out though its answer is lost: the fault meets the next page, or the reading
	// back.
	later form = "later"
)

// spares says that the operation does not notice the fault.
func (f fault) spares(o operation) bool { return f.body && o.bare }

func (f fault) concerns(o operation) bool {
	// What a connection may carry in all would end in one request or the other.
	if limited := f.network != nil && f.body; limited && o.probes {
		return false
	}
	if slices.Contains(unconcerned[f.name], o.name) {
		return false
	}
	return f.only == nil || slices.Contains(f.only, o.name)
}

// unconcerned are the operations whose answers have no such thing, or mean something
// else by it.
var unconcerned = map[string][]string{
	"unknown status": {
		"alert.FindActive", "alert.History", "alert.ResponseTimes", "alert.ConfirmNotification", "alert.DeleteResolvedOlderThan",
		"check.FindHistory", "check.RebuildHistory", "check.DeleteHistoryOlderThan",
	},
	// It ends before.
	"cut in the body": {"alert.ConfirmNotification", "alert.DeleteResolvedOlderThan", "check.RebuildHistory", "check.DeleteHistoryOlderThan"},
	"infinity": {
		"alert.ResponseTimes", "alert.ConfirmNotification", "alert.DeleteResolvedOlderThan",
		"check.FindHistory", "check.RebuildHistory", "check.DeleteHistoryOlderThan",
	},
	"null": {"alert.Transition", "alert.ConfirmNotification"}, // there is no such alert
}

// before is how many requests pass before the fault.
func (f fault) before(o operation) int {
	if o.probes && f.network == nil {
		return 1
	}
	return 0
}

func (f fault) forms(o operation) []form {
	forms := []form{once}
	if !f.final && !f.harmless && !f.spares(o) {
		forms = append(forms, always)
		if f.hangs {
			forms = append(forms, deadline)
		}
	}
	if f.answer != nil && !f.body && !o.bare && (o.readsBack || o.requests > 1) {
		forms = append(forms, later)
	}
	return forms
}

const (
	maxAttempts = 3
	// timeout is that of an attempt which must come to an end by it, and
	// patience is the caller's.
	timeout  = 2 * time.Second
	patience = 25 * time.Second
	// unhurried is a time limit that no attempt reaches.
	unhurried = 20 * time.Second
	// brief is the deadline of a caller in a hurry.
	brief = 4 * time.Second
)

// promise is what must come of one cell of the matrix.
type promise struct {
	fails    bool
	status   int
	code     string
	classes  []string
	result   string
	attempts int // requests that go out, over all of the operation's queries
	arrive   int // of these, at the double
	change   change
	keep     bool // the change was made before the fault
	// uncertain says that the error does not know whether the change was made.
	uncertain bool
	within    time.Duration // a tenth of what is allowed
}

// promised is the rule that the matrix checks.
func (f fault) promised(o operation, how form) promise {
	p := promise{result: o.result, attempts: o.requests, arrive: o.requests, change: o.change, within: time.Second}
	if f.spares(o) {
		return p
	}
	if f.harmless {
		if f.result != nil {
			p.result = f.result(p.result)
		}
		return p
	}
	if f.code == "57014" && o.probes { // with a smaller slice it goes on
		p.attempts, p.arrive = 2*o.requests, 2*o.requests
		return p
	}
	if f.code == "57014" && o.name == "check.CreateMany" { // and with one row for each request
		p.attempts, p.arrive = 3, 3
		return p
	}
	if f.code == "57014" && o.pages && how == once {
		p.attempts, p.arrive = 1+o.requests, 1+o.requests
		return p
	}
	faulty := 1
	switch {
	case how == later:
		if o.readsBack {
			p.attempts, p.keep = 2, true
		} else if f.final {
			p.attempts = 1
		}
		p.attempts++
		if f.final {
			p.fail(f)
		} else if o.readsBack {
			p.attempts++
		}
	case f.final:
		p.attempts = f.before(o) + 1
		p.fail(f)
	case how == always:
		faulty = maxAttempts
		p.attempts = f.before(o) + maxAttempts
		if n, ok := f.attempts[o.name]; ok {
			p.attempts = n
		}
		p.fail(f)
	case how == deadline:
		p.attempts = f.before(o) + 1
		p.fail(f)
		p.status, p.code, p.classes = 0, "", []string{"deadline"}
	case how == once:
		p.attempts++
		if f.ran && o.readsBack {
			p.attempts++
		}
		if f.ran && o.again != "" && (f.network == nil || !o.probes) {
			p.result = o.again
		}
	}
	if p.fails && how != later && f.unclear && o.readsBack {
		p.attempts++
		p.uncertain = !f.ran
		if f.ran {
			p.fails, p.result = false, o.result
		}
	}
	p.arrive = p.attempts
	if f.lost {
		p.arrive -= faulty
	}
	if f.resent && how == later {
		p.attempts--
	}
	if p.fails && (!f.ran || o.probes && f.network != nil) && !p.keep {
		p.change = change{}
	}
	if f.hangs {
		p.within += time.Duration(faulty) * max(timeout, brief)
	}
	p.within += time.Duration(faulty) * max(f.wait, 400*time.Millisecond)
	return p
}

func (p *promise) fail(f fault) {
	p.fails, p.result, p.status, p.code = true, "", f.status, f.code
	p.classes = []string{}
	if f.class != "" {
		p.classes = append(p.classes, f.class)
	}
}
