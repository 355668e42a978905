package supabasetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// callFunction says that there is no such function: the schema has none.
func callFunction(name string, r *http.Request, data []byte) error {
	if r.Method != http.MethodPost || r.URL.RawQuery != "" {
		return unsupported("a function called by %s or with a query", r.Method)
	}
	if err := checkContentType(r.Header); err != nil {
		return err
	}
	var args map[string]json.RawMessage
	if json.Unmarshal(data, &args) != nil || args == nil {
		return unsupported("a function's arguments that are no JSON object")
	}
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
