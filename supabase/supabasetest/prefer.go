package supabasetest

import (
	"net/http"
	"strconv"
	"strings"
)

// preferences are what the Prefer headers ask for; "" is what was not asked.
type preferences struct {
	resolution string
	missing    string
	returning  string
	count      string
	handling   string
	affected   string   // max-affected, where handling is strict
	most       int64    // its number
	invalid    []string // those that are unknown
}

const (
	mergeDuplicates  = "resolution=merge-duplicates"
	ignoreDuplicates = "resolution=ignore-duplicates"

	returnRepresentation = "return=representation"
	returnHeaders        = "return=headers-only"

	countExact     = "count=exact"
	countPlanned   = "count=planned"
	countEstimated = "count=estimated"

	maxAffected = "max-affected="
)

// readPreferences reads all Prefer headers. Of two of a kind the first holds,
// and what is unknown is ignored, unless handling is strict.
// See https://docs.postgrest.org/en/stable/references/api/preferences.html.
func readPreferences(header http.Header) (preferences, error) {
	var p preferences
	for preference := range strings.SplitSeq(strings.Join(header.Values("Prefer"), ","), ",") {
		preference = strings.TrimSpace(preference)
		kind := &p.affected
		switch preference {
		case "":
			continue
		case mergeDuplicates, ignoreDuplicates:
			kind = &p.resolution
		case "missing=default", "missing=null":
			kind = &p.missing
		case "return=minimal", returnRepresentation, returnHeaders:
			kind = &p.returning
		case countExact, countPlanned, countEstimated:
			kind = &p.count
		case "handling=strict", "handling=lenient":
			kind = &p.handling
		case "tx=commit", "tx=rollback": // known, and off unless db-tx-end allows it
			continue
		default:
			if strings.HasPrefix(preference, "timezone=") {
				return p, unsupported("Prefer: %s", preference)
			}
			if !strings.HasPrefix(preference, maxAffected) {
				p.invalid = append(p.invalid, preference)
				continue
			}
		}
		if *kind == "" {
			*kind = preference
		}
	}
	return p, p.readAffected()
}

// readAffected reads the number of max-affected. Without one, or where handling
// is not strict, it is as if it were not there.
func (p *preferences) readAffected() error {
	text := strings.TrimPrefix(p.affected, maxAffected)
	p.affected = ""
	if !p.strict() {
		return nil
	}
	n, err := readCount(&text, "Prefer: max-affected")
	if n != nil {
		p.most, p.affected = *n, maxAffected+strconv.FormatInt(*n, 10)
	}
	return err
}

func (p preferences) strict() bool { return p.handling == "handling=strict" }

// check refuses unknown preferences where handling is strict.
func (p preferences) check() error {
	if !p.strict() || len(p.invalid) == 0 {
		return nil
	}
	return badRequest("PGRST122", "Invalid preferences given with handling=strict").
		withDetails("Invalid preferences: %s", strings.Join(p.invalid, ", "))
}

func (p preferences) representation() bool { return p.returning == returnRepresentation }

// counted says whether a count is asked for that is exact for what is written.
func (p preferences) counted() bool { return p.count == countExact || p.count == countEstimated }

func (p preferences) defaultsForMissing() bool { return p.missing == "missing=default" }

// applied sets Preference-Applied for the preferences that a method heeds, in
// PostgREST's order.
func (p preferences) applied(header http.Header, method string) {
	var heeded []string
	switch method {
	case http.MethodGet, http.MethodHead:
		heeded = []string{p.count, p.handling}
	case http.MethodPost:
		heeded = []string{p.resolution, p.missing, p.returning, p.count, p.handling}
	case http.MethodPatch:
		heeded = []string{p.missing, p.returning, p.count, p.handling, p.affected}
	case http.MethodDelete:
		heeded = []string{p.returning, p.count, p.handling, p.affected}
	case methodCall:
		heeded = []string{p.count, p.handling}
	}
	var named []string
	for _, preference := range heeded {
		if preference != "" {
			named = append(named, preference)
		}
	}
	if len(named) > 0 {
		header.Set("Preference-Applied", strings.Join(named, ", "))
	}
}
