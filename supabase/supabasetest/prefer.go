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
	affected   string // max-affected, as sent
	most       int64  // max-affected where handling is strict, -1 without
}

// readPreferences reads all Prefer headers. Of two of a kind the first holds,
// and what is unknown is ignored, unless handling is strict.
// See https://docs.postgrest.org/en/stable/references/api/preferences.html.
func readPreferences(header http.Header) (preferences, error) {
	p := preferences{most: -1}
	unknown := ""
	for preference := range strings.SplitSeq(strings.Join(header.Values("Prefer"), ","), ",") {
		preference = strings.TrimSpace(preference)
		var kind *string
		switch preference {
		case "":
			continue
		case "resolution=merge-duplicates", "resolution=ignore-duplicates":
			kind = &p.resolution
		case "missing=default", "missing=null":
			kind = &p.missing
		case "return=minimal", "return=representation":
			kind = &p.returning
		case "count=exact":
			kind = &p.count
		case "handling=strict", "handling=lenient":
			kind = &p.handling
		case "return=headers-only", "count=planned", "count=estimated":
			return p, unsupported("Prefer: %s", preference)
		case "tx=commit", "tx=rollback": // known, and off unless db-tx-end allows it
			continue
		default:
			switch name, _, _ := strings.Cut(preference, "="); name {
			case "timezone":
				return p, unsupported("Prefer: %s", preference)
			case "max-affected":
				kind = &p.affected
			default:
				unknown = preference
				continue
			}
		}
		if *kind == "" {
			*kind = preference
		}
	}
	if p.handling != "handling=strict" {
		p.affected = ""
		return p, nil
	}
	if unknown != "" {
		return p, unsupported("Prefer: handling=strict with the unknown %s", unknown)
	}
	if p.affected != "" {
		most, err := strconv.ParseInt(strings.TrimPrefix(p.affected, "max-affected="), 10, 64)
		if err != nil || most < 0 {
			return p, unsupported("Prefer: %s", p.affected)
		}
		p.most = most
	}
	return p, nil
}

func (p preferences) representation() bool { return p.returning == "return=representation" }

func (p preferences) counted() bool { return p.count != "" }

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
