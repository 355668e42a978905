package supabasetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// callFunction answers a call of the schema's one function, and says of others
// that there is none.
func (s *Server) callFunction(c *call, name string, r *http.Request) (*answer, error) {
	if r.Method != http.MethodPost || r.URL.RawQuery != "" {
		return nil, unsupported("a function called by %s or with a query", r.Method)
	}
	if err := checkContentType(r.Header); err != nil {
		return nil, err
	}
	var args map[string]json.RawMessage
	if json.Unmarshal(c.body, &args) != nil || args == nil {
		return nil, unsupported("a function's arguments that are no JSON object")
	}
	if name == latestFunction {
		parsed, known, err := readLatestArgs(args)
		if err != nil {
			return nil, err
		}
		if known {
			return s.callLatest(c, r.Header, parsed)
		}
	}
	return nil, unknownFunction(name, args)
}

func (s *Server) callLatest(c *call, header http.Header, args latestArgs) (*answer, error) {
	var err error
	if c.prefer, err = readPreferences(header); err != nil {
		return nil, err
	}
	if c.media, err = readAccept(header); err != nil {
		return nil, err
	}
	return s.store.latest(c, args)
}

func unknownFunction(name string, args map[string]json.RawMessage) error {
	signature, searched := " without parameters", " without parameters"
	if names := strings.Join(slices.Sorted(maps.Keys(args)), ", "); len(args) > 0 {
		signature, searched = "("+names+")", " with parameter "+names
		if len(args) > 1 {
			searched = " with parameters " + names
		}
	}
	function := schema + "." + name
	return (&failure{
		status:  http.StatusNotFound,
		code:    "PGRST202",
		message: "Could not find the function " + function + signature + " in the schema cache",
	}).withDetails("Searched for the function %s%s or with a single unnamed json/jsonb parameter,"+
		" but no matches were found in the schema cache.", function, searched)
}
