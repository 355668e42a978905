package supabasetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/supavigil/supavigil/supabase"
)

// methodCall stands for the method of a function's call, where answers differ.
const methodCall = "CALL"

// HandleRPC answers calls of a function, by its name without a schema, in place
// of one of that name that the double has, if any. nil takes the answer away
// again. Calls may overlap, and the tables can be seeded and looked at meanwhile.
//
// args is the JSON object of the call, {} when it had none. What handle returns
// is the function's one value, as JSON; nil is that of a function that returns
// void, 204 without a body. A *[supabase.Error] is answered as PostgREST does
// one: with Code, Message, Details, Hint, and with Status, which defaults to
// what PostgREST makes of the code, such as 409 of 23505. Any other error is
// that of RAISE EXCEPTION: P0001, 400, with its text for a message. An error
// that wraps a *supabase.Error counts as that one.
//
// Only [Server.Key] may call it, as is the case with functions of the migrations.
func (s *Server) HandleRPC(name string, handle func(args json.RawMessage) (any, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.functions == nil {
		s.functions = map[string]func(json.RawMessage) (any, error){}
	}
	s.functions[name] = handle
}

func (s *Server) function(name string) func(json.RawMessage) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.functions[name]
}

// callFunction answers a call of a function: the user's own, or one of the
// migrations'. Of others it says that there is none.
func (s *Server) callFunction(c *call, name string, r *http.Request) (*answer, error) {
	if r.Method != http.MethodPost || r.URL.RawQuery != "" {
		return nil, unsupported("a function called by %s or with a query", r.Method)
	}
	if err := checkContentType(r.Header); err != nil {
		return nil, err
	}
	if len(c.body) == 0 {
		c.body = []byte("{}")
	}
	var args map[string]json.RawMessage
	if json.Unmarshal(c.body, &args) != nil || args == nil {
		return nil, unsupported("a function's arguments that are no JSON object")
	}
	if handle := s.function(name); handle != nil {
		return c.answerCall(name, r.Header, func() ([]byte, error) { return result(handle, c.body) })
	}
	if name == latestFunction {
		parsed, known, err := readLatestArgs(args)
		if err != nil {
			return nil, err
		}
		if known {
			return c.answerCall(name, r.Header, func() ([]byte, error) { return s.store.latest(parsed) })
		}
	}
	if f, there := alertFunctions[name]; there {
		values, known, err := f.read(args)
		if known && err != nil {
			return nil, err
		}
		if known {
			return c.answerCall(name, r.Header, func() ([]byte, error) { return s.store.callAlertFunction(f, values) })
		}
	}
	history, known, err := readHistoryCall(name, c.body)
	if err != nil {
		return nil, err
	}
	if known {
		return c.answerCall(name, r.Header, func() ([]byte, error) { return s.store.callHistoryFunction(history) })
	}
	return nil, unknownFunction(name, args)
}

// answerCall answers with the one value that a function returns; nil is void.
func (c *call) answerCall(name string, header http.Header, function func() ([]byte, error)) (*answer, error) {
	var err error
	if c.media, err = readAccept(header); err != nil {
		return nil, err
	}
	if err := c.prefer.check(); err != nil {
		return nil, err
	}
	if c.prefer.affected != "" {
		return nil, badRequest("PGRST128", "Function must return SETOF or TABLE when max-affected preference is used with handling=strict")
	}
	if c.prefer.count == countPlanned || c.prefer.count == countEstimated {
		return nil, unsupported("Prefer: %s on a function", c.prefer.count)
	}
	if c.anonymous {
		return nil, &failure{
			status:    http.StatusUnauthorized,
			code:      "42501",
			message:   "permission denied for function " + name,
			challenge: "Bearer",
		}
	}
	body, err := function()
	if err != nil {
		return nil, err
	}
	c.method = methodCall
	a := c.newAnswer(http.StatusOK, rangeOf(0, 1, c.total(1)))
	if a.body = body; body == nil {
		a.status = http.StatusNoContent
		return a, nil
	}
	c.describe(a)
	return a, nil
}

// result calls a function of the user's own.
func result(handle func(json.RawMessage) (any, error), args []byte) ([]byte, error) {
	returned, err := handle(bytes.Clone(args))
	if refused, ok := errors.AsType[*supabase.Error](err); ok {
		return nil, raised(refused)
	}
	if err != nil {
		return nil, badRequest("P0001", "%s", err.Error())
	}
	if returned == nil {
		return nil, nil
	}
	body, err := json.Marshal(returned)
	if err != nil {
		return nil, unsupported("a result that is not JSON: %v", err)
	}
	return body, nil
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
