package supabase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	postgrest "github.com/supabase-community/postgrest-go"
	supabasego "github.com/supabase-community/supabase-go"

	"github.com/supavigil/supavigil/internal/trace"
)

// Client speaks to one project with its service-role key. It is safe for
// concurrent use, holds nothing that must be closed, and costs next to nothing to
// open: open one per operation. Printing it does not show the key. What is asked of
// a zero or nil Client fails with ErrInvalid; ServiceClient opens one.
type Client struct {
	rest     *postgrest.Client
	platform func() (*supabasego.Client, error)
}

// Connector opens a client. It is what a model calls, once per operation:
// [ServiceClient], or the ServiceClient method of a [Config].
type Connector func() (*Client, error)

// ServiceClient opens a client from the environment as it is now; see
// [ConfigFromEnv]. The error is an ErrInvalid.
func ServiceClient() (*Client, error) {
	config, err := ConfigFromEnv()
	if err != nil {
		return nil, err
	}
	return config.ServiceClient()
}

// ServiceClient checks the configuration and opens a client. It dials nothing.
// The error is an ErrInvalid that says what would be right.
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
	rest, err := newREST(checked)
	if err != nil {
		return nil, err
	}
	rest.Transport.Parent = newTransport(checked)
	project, key, schema := strings.TrimRight(checked.URL, "/"), string(checked.Key), checked.Schema
	return &Client{rest: rest, platform: func() (*supabasego.Client, error) { return openPlatform(project, key, schema) }}, nil
}

func newREST(s settings) (*postgrest.Client, error) {
	rest, err := postgrest.NewClientWithError(s.rest.String()+"/", s.Schema, nil)
	if err != nil {
		return nil, refused("", "", "postgrest-go does not take the URL")
	}
	return rest, nil
}

// From starts a query on a table or view, a plain identifier. With any other
// name the query fails with ErrInvalid when it is executed, and sends nothing.
//
// What is built runs through this package's time limits, retries and errors: a
// status of 300 or more is an [*Error]. Find it with errors.As: postgrest-go
// hands it on inside a [*net/url.Error], whose own text has the query, which a
// log may not want. A GET or HEAD may be repeated; a POST, PATCH or DELETE is
// repeated only where it cannot have run.
//
// postgrest-go drops or misplaces filters when a column gets more than one, or
// when And or Or come before others: give each column one filter, and And last.
// It panics when a query goes on after a value that does not marshal to JSON.
func (c *Client) From(table string) *postgrest.QueryBuilder {
	if problem := c.problemWith(table); problem != "" {
		stub, err := postgrest.NewClientWithError("http://invalid", "", nil)
		if err == nil { // the URL is a constant
			stub.Transport.Parent = refuse{name: table, problem: problem}
		}
		return stub.From("invalid")
	}
	rest := *c.rest // postgrest-go notes errors of building a query in its client
	return rest.From(table)
}

// RPC calls a function with args, a value that marshals to a JSON object of its
// named arguments (nil: none), and decodes its answer into result, a pointer (nil:
// the answer is dropped). A function that returns void leaves result as it is; NULL
// is JSON's null. A function may do anything, so a call is repeated only where it
// cannot have run. Errors are [*Error], Op rpc; ErrInvalid for a function name that
// is no identifier, and for args or a result that are not as said.
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

// Platform opens supabase-go's client of the same project, for Auth and
// Storage. None of this package's guarantees hold for it: it has no time limit
// and no redirect guard, does not retry, keeps the key where printing reaches
// it, and its Functions client exports no call. Without Config.URL the error is
// an ErrInvalid.
func (c *Client) Platform() (*supabasego.Client, error) {
	if c == nil || c.platform == nil {
		return nil, refused("", "", notOpened)
	}
	return c.platform()
}

const notOpened = "the client was not opened: get one from ServiceClient"

// problemWith says why a query on name, or a call of it, cannot be sent; "" if it can.
func (c *Client) problemWith(name string) string {
	switch {
	case c == nil || c.rest == nil:
		return notOpened
	case !isIdentifier(name):
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

// isIdentifier keeps a name from leaving /rest/v1 or carrying a query.
func isIdentifier(name string) bool {
	for i := range len(name) {
		b := name[i]
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
		if !letter && (i == 0 || (b < '0' || b > '9') && b != '$') {
			return false
		}
	}
	return name != ""
}
