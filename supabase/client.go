package supabase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"

	postgrest "github.com/supabase-community/postgrest-go"
	supabasego "github.com/supabase-community/supabase-go"

	"github.com/supavigil/supavigil/internal/trace"
)

// Client speaks to one project. It holds nothing to close and opens in microseconds:
// open one for each operation. Printing it does not show the key. The zero Client's
// operations fail with ErrInvalid, as a nil one's do.
type Client struct {
	rest     *postgrest.Client
	platform func() (*supabasego.Client, error)
}

// Connector opens a client, as [ServiceClient] and [Config.ServiceClient] do.
type Connector func() (*Client, error)

// ServiceClient opens a client with [ConfigFromEnv].
func ServiceClient() (*Client, error) {
	config, err := ConfigFromEnv()
	if err != nil {
		return nil, err
	}
	return config.ServiceClient()
}

// ServiceClient checks the configuration and opens a client, without any I/O. The
// error is an ErrInvalid.
func (c Config) ServiceClient() (*Client, error) {
	keep := c.Transport == nil || reflect.TypeOf(c.Transport).Kind() == reflect.Pointer // others may not be comparable
	if last := lastOpened.Load(); keep && last != nil && last.config == c {
		return last.client, nil
	}
	client, err := c.open()
	if err == nil && keep {
		lastOpened.Store(&opened{config: c, client: client})
	}
	return client, err
}

// lastOpened is handed out again while the configuration is the same: a model opens
// a client for each operation.
var lastOpened atomic.Pointer[opened]

type opened struct {
	config Config
	client *Client
}

func (c Config) open() (*Client, error) {
	checked, err := c.check()
	if err != nil {
		return nil, err
	}
	rest, err := postgrest.NewClientWithError(checked.rest.String()+"/", checked.Schema, nil)
	if err != nil {
		return nil, refused("", "", "postgrest-go does not take the URL")
	}
	rest.Transport.Parent = newTransport(checked)
	project, key, schema := strings.TrimRight(checked.URL, "/"), string(checked.Key), checked.Schema
	return &Client{rest: rest, platform: func() (*supabasego.Client, error) { return openPlatform(project, key, schema) }}, nil
}

// From starts a query on a table or view, a plain identifier. Its errors are those of
// this package, inside a [*net/url.Error] of postgrest-go, whose own text has the
// query: use errors.As. Only GET and HEAD are retried after they may have run.
//
// In postgrest-go v0.0.12 give each column one filter, and And last: it drops or
// misplaces others. It panics when a query continues after a value that does not
// marshal to JSON.
func (c *Client) From(table string) *postgrest.QueryBuilder {
	if problem := c.problemWith(table); problem != "" {
		stub := postgrest.NewClient("http://invalid", "", nil)
		stub.Transport.Parent = refuse{name: table, problem: problem}
		return stub.From("invalid")
	}
	rest := *c.rest // postgrest-go notes errors of building a query in its client
	return rest.From(table)
}

// RPC calls a function. args marshals to a JSON object of its named arguments (nil:
// none); result is a pointer that the answer is decoded into (nil: it is dropped),
// and left as it is by a function that returns void. A call is retried only if it
// never ran. ErrInvalid: function is not an identifier, args or result not as said.
func (c *Client) RPC(ctx context.Context, function string, args, result any) error {
	if problem := c.problemWith(function); problem != "" {
		return refused(opRPC, function, problem)
	}
	body := []byte("{}")
	if args != nil {
		var err error
		if body, err = json.Marshal(args); err != nil {
			e := refused(opRPC, function, "the arguments do not marshal to JSON")
			e.Err = fmt.Errorf("%w: %w", ErrInvalid, err)
			return e
		}
	}
	target := reflect.ValueOf(result)
	switch {
	case body[0] != '{': // json.Marshal leaves no white space
		return refused(opRPC, function, "the arguments must be a JSON object, by their names")
	case result != nil && (target.Kind() != reflect.Pointer || target.IsNil()):
		return refused(opRPC, function, "result must be a pointer that is not nil, or nil alone")
	case ctx == nil:
		return refused(opRPC, function, "ctx must not be nil")
	}
	t := trace.FromContext(ctx)
	if t == nil {
		ctx, t = trace.New(ctx, trace.Told{})
	}
	_, _, err := c.rest.From("rpc/"+function).Insert(json.RawMessage(body), false, "", "", "").ExecuteWithContext(ctx)
	if err != nil {
		return asError(err, opRPC, function)
	}
	if result == nil || len(t.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(t.Body, result); err != nil {
		return &Error{Op: opRPC, Table: function, Status: t.Status, Attempts: t.Attempts, Uncertain: true, Message: "the answer cannot be decoded", Err: err}
	}
	return nil
}

// Platform opens supabase-go's client, for Auth and Storage. It has no time limit,
// redirect guard or retries, and printing it shows the key. It needs Config.URL.
func (c *Client) Platform() (*supabasego.Client, error) {
	if c == nil || c.platform == nil {
		return nil, refused("", "", notOpened)
	}
	return c.platform()
}

// identifier keeps a name from leaving /rest/v1 or carrying a query.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)

const notOpened = "the client was not opened: get one from ServiceClient"

// problemWith says why a query on name, or a call of it, cannot be sent; "" if it can.
func (c *Client) problemWith(name string) string {
	switch {
	case c == nil || c.rest == nil:
		return notOpened
	case !identifier.MatchString(name):
		return "the name must be one identifier: a letter or _, then letters, digits, _ or $"
	default:
		return ""
	}
}

func openPlatform(project, key, schema string) (*supabasego.Client, error) {
	if project == "" {
		return nil, refused("", "", "the platform needs the project's URL: set SUPABASE_URL (or Config.URL) beside the REST URL")
	}
	platform, err := supabasego.NewClient(project, key, &supabasego.ClientOptions{Schema: schema})
	if err != nil {
		return nil, &Error{Message: "supabase-go does not open a client", Err: err}
	}
	return platform, nil
}

// asError returns the *Error that postgrest-go wraps, or an *Error around what
// went wrong in postgrest-go itself.
func asError(err error, op, name string) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Op: op, Table: name, Message: "postgrest-go: " + err.Error(), Err: err}
}
