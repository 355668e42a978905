package healthcheck_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/healthcheck"
	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// contents are what a table may hold, by the times of its rows: nil is NULL.
var contents = map[string][]any{
	"nothing":          nil,
	"one row":          {noon},
	"ties":             {noon, noon, noon, noon.Add(time.Microsecond), noon.Add(time.Hour)},
	"only NULLs":       {nil, nil},
	"NULLs too":        {noon, nil, noon, noon.Add(time.Hour), nil, noon, noon},
	"a Go zero time":   {noon, time.Time{}, nil, time.Time{}, nil, noon.Add(-time.Hour)},
	"only zero times":  {time.Time{}, time.Time{}},
	"long ties":        slices.Concat([]any{noon.Add(-time.Second), nil}, slices.Repeat([]any{noon}, 30), slices.Repeat([]any{time.Time{}, noon.Add(-time.Hour)}, 15)),
	"more than a page": slices.Repeat([]any{noon, noon.Add(time.Second), nil}, 400),
}

// fill stores a table's rows; the time that a list does not go by goes the other way.
func fill(t *testing.T, server *supabasetest.Server, by string, times []any) {
	t.Helper()
	other := map[string]string{"created_at": "checked_at", "checked_at": "created_at"}[by]
	var rows []map[string]any
	for i, at := range times {
		rows = append(rows, map[string]any{
			"id": fmt.Sprintf("%08x-0000-4000-8000-000000000000", uint32(i)*2654435761), "service_name": "api", "status": "down",
			by: at, other: noon.Add(-time.Duration(i) * time.Minute),
		})
	}
	if rows != nil {
		store(t, server, rows...)
	}
}

// listed are the ids of a list as it should be.
func listed(t *testing.T, server *supabasetest.Server, by string, limit int) []string {
	t.Helper()
	server.SetMaxRows(0)
	var rows []map[string]any
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest/v1/service_health_checks?select=id,created_at,checked_at", http.NoBody)
	request.Header.Set("Apikey", string(server.Key))
	request.Header.Set("Authorization", "Bearer "+string(server.Key))
	server.ServeHTTP(answer, request)
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &rows), answer.Body)
	slices.SortFunc(rows, func(a, b map[string]any) int {
		x, _ := a[by].(string) // NULL: ""
		y, _ := b[by].(string)
		return cmp.Or(strings.Compare(y, x), strings.Compare(b["id"].(string), a["id"].(string)))
	})
	ids := []string{}
	for _, row := range rows[:min(limit, len(rows))] {
		ids = append(ids, row["id"].(string))
	}
	return ids
}

func idsOf(checks []healthcheck.ServiceHealthCheck) []string {
	ids := []string{}
	for _, check := range checks {
		ids = append(ids, check.ID)
	}
	return ids
}

// TestListsAreWholeOnEveryServer asserts that a list has the rows that it should, in
// their order, whatever the table holds and wherever the server cuts a page.
func TestListsAreWholeOnEveryServer(t *testing.T) {
	t.Parallel()
	for content, times := range contents {
		for _, maxRows := range []int{1, 2, 3, 1000} {
			if maxRows < 1000 && len(times) > 1000 {
				continue
			}
			for _, by := range []healthcheck.TimeColumn{healthcheck.CreatedAt, healthcheck.CheckedAt} {
				t.Run(fmt.Sprintf("%s, db-max-rows %d, by %q", content, maxRows, by), func(t *testing.T) {
					t.Parallel()
					server, model := start(t)
					column := cmp.Or(string(by), "created_at")
					fill(t, server, column, times)
					n := len(times)
					want := map[int][]string{}
					limits := []int{1, max(n-1, 1), max(n, 1), n + 1, 5000}
					if n > 1000 {
						limits = limits[2:3]
					}
					for _, limit := range limits {
						want[limit] = listed(t, server, column, limit)
					}
					server.SetMaxRows(maxRows)
					for _, limit := range limits {
						for _, options := range []healthcheck.FindAllOptions{{}, {ServiceName: "api"}, {Status: healthcheck.StatusDown}, {ServiceName: "api", Status: healthcheck.StatusDown}} {
							options.By, options.Limit = by, limit
							checks, err := model.FindAll(t.Context(), options)
							require.NoError(t, err)
							require.Equal(t, want[limit], idsOf(checks), "%+v", options)
						}
					}
				})
			}
		}
	}
}

// TestListsTakeFewRequests has the requests of lists of all services, and of one.
func TestListsTakeFewRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content          string
		options          healthcheck.FindAllOptions
		maxRows          int
		all, one, rowsOf int // rowsOf: that come
	}{
		"nothing":                         {"nothing", healthcheck.FindAllOptions{}, 1000, 1, 1, 0},
		"nothing in a period":             {"ties", healthcheck.FindAllOptions{Since: noon.Add(2 * time.Hour)}, 1000, 1, 1, 0},
		"one row":                         {"one row", healthcheck.FindAllOptions{}, 1000, 2, 2, 1},
		"one row where one is asked for":  {"one row", healthcheck.FindAllOptions{Limit: 1}, 1000, 1, 1, 1},
		"a short list":                    {"ties", healthcheck.FindAllOptions{}, 1000, 2, 2, 5},
		"a short list of a period":        {"ties", healthcheck.FindAllOptions{Since: noon, Until: noon.Add(2 * time.Hour)}, 1000, 2, 2, 5},
		"a limit that is reached":         {"ties", healthcheck.FindAllOptions{Limit: 5}, 1000, 1, 1, 5},
		"a limit within":                  {"ties", healthcheck.FindAllOptions{Limit: 3}, 1000, 1, 1, 3},
		"a short list with NULLs":         {"NULLs too", healthcheck.FindAllOptions{}, 1000, 2, 2, 7},
		"only NULLs":                      {"only NULLs", healthcheck.FindAllOptions{}, 1000, 2, 2, 2},
		"a short list with zero times":    {"a Go zero time", healthcheck.FindAllOptions{}, 1000, 2, 2, 6},
		"a limit within, and NULLs":       {"NULLs too", healthcheck.FindAllOptions{Limit: 3}, 1000, 2, 1, 3},
		"a limit that NULLs reach":        {"NULLs too", healthcheck.FindAllOptions{Limit: 7}, 1000, 3, 1, 7},
		"pages that a server cuts":        {"ties", healthcheck.FindAllOptions{}, 2, 4, 5, 5},
		"pages of one row":                {"ties", healthcheck.FindAllOptions{}, 1, 6, 8, 5},
		"a page and a bit, NULLs at last": {"more than a page", healthcheck.FindAllOptions{Limit: 5000}, 1000, 5, 4, 1200},
	} {
		for _, by := range []healthcheck.TimeColumn{healthcheck.CreatedAt, healthcheck.CheckedAt} {
			t.Run(fmt.Sprintf("%s, by %q", name, by), func(t *testing.T) {
				t.Parallel()
				server, model := start(t)
				fill(t, server, cmp.Or(string(by), "created_at"), contents[test.content])
				server.SetMaxRows(test.maxRows)
				options := test.options
				options.By = by
				for service, want := range map[string]int{"": test.all, "api": test.one} {
					options.ServiceName = service
					before := len(server.Requests())
					checks, err := model.FindAll(t.Context(), options)
					require.NoError(t, err)
					require.Len(t, checks, test.rowsOf)
					sent := len(server.Requests()) - before
					require.Equal(t, want, sent, "service %q", service)
				}
			})
		}
	}
}

// Of rows of one time beyond number, such as one statement stores, those that came are
// not walked through for every page.
func TestPagesOfOneTime(t *testing.T) {
	t.Parallel()
	for _, by := range []healthcheck.TimeColumn{healthcheck.CreatedAt, healthcheck.CheckedAt} {
		server, model := start(t)
		column := cmp.Or(string(by), "created_at")
		fill(t, server, column, contents["long ties"])
		server.SetMaxRows(1)
		for _, options := range []healthcheck.FindAllOptions{{}, {ServiceName: "api"}, {Since: noon.Add(-2 * time.Hour), Until: noon.Add(time.Hour)}} {
			before := len(server.Requests())
			options.By, options.Limit = by, 35
			_, err := model.FindAll(t.Context(), options)
			require.NoError(t, err)
			equal, walking := 0, 0
			for _, request := range server.Requests()[before:] {
				switch condition := request.Query.Get(column); {
				case strings.HasPrefix(condition, "eq."):
					equal++
				case strings.HasPrefix(condition, "lte."):
					walking++
				}
			}
			require.Equal(t, 20, equal, "19 rows, and their end")
			require.Less(t, walking, 17)
		}

		config := server.Config()
		config.Transport = forgetful{server, column}
		_, err := healthcheck.HealthCheckModel{Connect: config.ServiceClient}.FindAll(t.Context(), healthcheck.FindAllOptions{By: by, ServiceName: "api", Limit: 60})
		requireAnother(t, err, column)
	}
}

// meagre is a transport that answers, in the process, what asks for few rows at
// once, and lets the rest fail.
type meagre struct {
	server *supabasetest.Server
	most   int
	fail   func(*http.Request) (*http.Response, error)
	tried  []int // rows asked for
}

func (m *meagre) RoundTrip(request *http.Request) (*http.Response, error) {
	body := []byte{}
	if request.Body != nil {
		body, _ = io.ReadAll(request.Body)
	}
	var args struct {
		MaxServices int `json:"max_services"`
	}
	asked, _ := strconv.Atoi(request.URL.Query().Get("limit"))
	if json.Unmarshal(body, &args) == nil {
		asked = args.MaxServices
	}
	if m.tried = append(m.tried, asked); asked > m.most {
		return m.fail(request)
	}
	answer := httptest.NewRecorder()
	again := request.Clone(request.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	m.server.ServeHTTP(answer, again)
	return answer.Result(), nil
}

func refusing(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		answer := httptest.NewRecorder()
		answer.WriteHeader(status)
		_, _ = answer.WriteString(body)
		return answer.Result(), nil
	}
}

// reader reads as a function says.
type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func sending(body func(ctx context.Context) io.Reader) func(*http.Request) (*http.Response, error) {
	return func(request *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body(request.Context())), ContentLength: -1}, nil
	}
}

// tooMuch are the ways in which an answer may not come whole for its size.
var tooMuch = map[string]func(*http.Request) (*http.Response, error){
	"larger than 64 MiB": sending(func(context.Context) io.Reader {
		return reader(func(p []byte) (int, error) { return len(p), nil })
	}),
	"a body that takes too long": sending(func(ctx context.Context) io.Reader {
		return io.MultiReader(strings.NewReader(`[{"id":"`), reader(func([]byte) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}))
	}),
	"a body that breaks off": sending(func(context.Context) io.Reader {
		return io.MultiReader(strings.NewReader(`[{"id":"`), reader(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
	}),
	"no answer in time": func(request *http.Request) (*http.Response, error) {
		<-request.Context().Done()
		return nil, request.Context().Err()
	},
	"a gateway's time limit":     refusing(http.StatusGatewayTimeout, "<html>"),
	"Cloudflare's":               refusing(524, "<html>"),
	"a statement's time limit":   refusing(500, `{"code":"57014","message":"canceling statement due to statement timeout"}`),
	"the same on lite":           refusing(500, `{"code":"SUP","message":"canceling statement due to statement timeout"}`),
	"a statement out of memory":  refusing(500, `{"code":"53200","message":"out of memory"}`),
	"temporary files too large":  refusing(500, `{"code":"53400","message":"temporary file size exceeds temp_file_limit"}`),
	"an answer beyond 1 GB":      refusing(500, `{"code":"54000","message":"out of memory"}`),
	"a full disk in a sort, say": refusing(500, `{"code":"53100","message":"could not write"}`),
}

func TestPagesBecomeSmallerUntilTheyCome(t *testing.T) {
	t.Parallel()
	for name, fail := range tooMuch {
		for most, n := range map[int]int{1: 15, 7: 40, 100: 600} {
			if most < 100 && name == "larger than 64 MiB" {
				continue // it takes long to read so much
			}
			t.Run(fmt.Sprintf("%s, above %d rows", name, most), func(t *testing.T) {
				t.Parallel()
				server, _ := start(t)
				var rows []map[string]any
				for i := range n {
					rows = append(rows, map[string]any{"service_name": fmt.Sprintf("s%05d", i), "status": "down", "created_at": noon.Add(time.Duration(i) * time.Second), "checked_at": noon})
				}
				store(t, server, rows...)
				synctest.Test(t, func(t *testing.T) {
					transport := &meagre{server: server, most: most, fail: fail}
					config := server.Config()
					config.Transport = transport
					model := healthcheck.HealthCheckModel{Connect: config.ServiceClient}
					for list, find := range map[string]func() ([]healthcheck.ServiceHealthCheck, error){
						"FindAll": func() ([]healthcheck.ServiceHealthCheck, error) {
							return model.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 5000})
						},
						"FindLatest": func() ([]healthcheck.ServiceHealthCheck, error) { return model.FindLatest(t.Context()) },
					} {
						transport.tried = nil
						found, err := find()
						require.NoError(t, err, list)
						require.Len(t, found, n, list)
						failed := 0
						for _, asked := range transport.tried {
							if asked > most {
								failed++
							}
						}
						require.LessOrEqual(t, failed, 5+len(transport.tried)/8, "%s: %v", list, transport.tried)
						require.Less(t, len(transport.tried), 15+4*n/most, "%s: %v", list, transport.tried)
					}
				})
			})
		}
	}
}

func TestARowThatCannotComeIsAnError(t *testing.T) {
	t.Parallel()
	for name, fail := range tooMuch {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := start(t)
			synctest.Test(t, func(t *testing.T) {
				transport := &meagre{server: server, most: -1, fail: fail}
				config := server.Config()
				config.Transport = transport
				model := healthcheck.HealthCheckModel{Connect: config.ServiceClient}
				for _, find := range []func() error{
					func() error {
						_, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 5000})
						return err
					},
					func() error { _, err := model.FindLatest(t.Context()); return err },
				} {
					transport.tried = nil
					err := find()
					var e *supabase.Error
					require.ErrorAs(t, err, &e)
					require.Equal(t, []int{1000, 100, 10, 1}, transport.tried, "attempts are not multiplied")
					require.Equal(t, 4, e.Attempts)
				}
			})
		})
	}
}

// A server that is away is tried as often as for any other request, and one that is
// not to be tried again, once.
func TestSmallerPagesAreTriesToo(t *testing.T) {
	t.Parallel()
	server, _ := start(t)
	synctest.Test(t, func(t *testing.T) {
		for maxAttempts, want := range map[int][]int{1: {1000}, 2: {1000, 100}, 6: {1000, 100, 10, 1, 1, 1}} {
			transport := &meagre{server: server, most: -1, fail: tooMuch["no answer in time"]}
			config := server.Config()
			config.Transport, config.MaxAttempts = transport, maxAttempts
			_, err := healthcheck.HealthCheckModel{Connect: config.ServiceClient}.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 5000})
			require.ErrorIs(t, err, supabase.ErrUnavailable)
			require.Equal(t, want, transport.tried)
		}
		transport := &meagre{server: server, most: -1, fail: func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") }}
		config := server.Config()
		config.Transport = transport
		_, err := healthcheck.HealthCheckModel{Connect: config.ServiceClient}.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 5000})
		require.ErrorIs(t, err, supabase.ErrUnavailable)
		require.Equal(t, []int{1000, 1000, 1000, 1000}, transport.tried, "not for its size")
	})
}

// TestRowsThatWereNotAskedForAreAnError has answers of servers that ignore a part
// of the query.
func TestRowsThatWereNotAskedForAreAnError(t *testing.T) {
	t.Parallel()
	const right = `{"id":"b","service_name":"api","status":"down","checked_at":"2026-01-02T12:00:00Z","created_at":"2026-01-02T12:00:00Z"}`
	for name, test := range map[string]struct{ row, column string }{
		"another service":  {strings.Replace(right, "api", "secret", 1), "service_name"},
		"a longer name":    {strings.Replace(right, "api", "api ", 1), "service_name"},
		"another case":     {strings.Replace(right, "api", "API", 1), "service_name"},
		"another status":   {strings.Replace(right, "down", "secret", 1), "status"},
		"before the start": {strings.ReplaceAll(right, "12:00:00Z", "11:59:59.999999Z"), ""},
		"after the end":    {strings.ReplaceAll(right, "12:00:00Z", "13:00:00Z"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, by := range []healthcheck.TimeColumn{healthcheck.CreatedAt, healthcheck.CheckedAt} {
				server, model := start(t)
				column := cmp.Or(test.column, string(by), "created_at")
				options := healthcheck.FindAllOptions{ServiceName: "api", Status: healthcheck.StatusDown, Since: noon, Until: noon.Add(time.Hour), By: by}
				answerNext(server, http.StatusOK, nil, "["+test.row+"]")
				_, err := model.FindAll(t.Context(), options)
				requireAnother(t, err, column)
				answerNext(server, http.StatusOK, nil, "["+strings.Replace(right, `"b"`, `"c"`, 1)+","+test.row+"]")
				for check, err := range model.All(t.Context(), options) {
					require.Zero(t, check)
					if column == "service_name" || column == "status" {
						requireAnother(t, err, column)
					}
					require.Error(t, err)
				}
				if test.column == "service_name" {
					answerNext(server, http.StatusOK, nil, test.row)
					_, err := model.FindLatestByService(t.Context(), "api")
					requireAnother(t, err, column)
				}
			}
		})
	}
}

func requireAnother(t *testing.T, err error, column string) {
	t.Helper()
	require.EqualError(t, err, "supabase: select service_health_checks: 200: the answer has a row of another "+column)
	for _, class := range []error{supabase.ErrInvalid, supabase.ErrNotFound, supabase.ErrConflict, supabase.ErrPermission, supabase.ErrSchema, supabase.ErrUnavailable} {
		require.NotErrorIs(t, err, class)
	}
}

// A server that does not heed the order would have rows lost between pages.
func TestAnotherOrderIsAnError(t *testing.T) {
	t.Parallel()
	for name, ignored := range map[string]string{"order": "order", "the keyset": "and", "all filters": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := start(t)
			fill(t, server, "created_at", contents["more than a page"])
			config := server.Config()
			config.Transport = forgetful{server, ignored}
			model := healthcheck.HealthCheckModel{Connect: config.ServiceClient}
			_, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{Limit: 5000, ServiceName: "api"})
			require.ErrorContains(t, err, "the answer repeats rows, or mixes them")
		})
	}
}

// forgetful leaves out a part of each query, or all but the select.
type forgetful struct {
	server  *supabasetest.Server
	ignored string
}

func (f forgetful) RoundTrip(request *http.Request) (*http.Response, error) {
	again := request.Clone(request.Context())
	query := again.URL.Query()
	query.Del(f.ignored)
	if f.ignored == "" {
		query = url.Values{"select": {"*"}}
	}
	again.URL.RawQuery = query.Encode()
	again.Body = http.NoBody
	answer := httptest.NewRecorder()
	f.server.ServeHTTP(answer, again)
	return answer.Result(), nil
}

// Statuses that this version does not know are found, not stored.
func TestNewerStatusesCanBeAskedFor(t *testing.T) {
	t.Parallel()
	server, model := start(t)
	_, err := model.FindAll(t.Context(), healthcheck.FindAllOptions{Status: "maintenance, (planned)"})
	require.NoError(t, err)
	require.Equal(t, []string{"eq.maintenance, (planned)"}, server.Requests()[0].Query["status"])
	_, err = model.Create(t.Context(), healthcheck.CreateHealthCheckData{ServiceName: "api", Status: "maintenance"})
	require.ErrorIs(t, err, supabase.ErrInvalid)
}
