package supabasetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

// raise stands for the service under test: it raises an alert.
func raise(ctx context.Context, connect supabase.Connector, service string) error {
	client, err := connect()
	if err != nil {
		return err
	}
	alert := map[string]string{"service_name": service, "alert_type": "service_down", "status": "active"}
	_, _, err = client.From("alert_events").Insert(alert, false, "", "minimal", "").ExecuteWithContext(ctx)
	return err
}

func Example() {
	server := supabasetest.NewServer()
	defer server.Close()

	err := raise(context.Background(), server.Config().ServiceClient, "db")
	fmt.Println("error:", err)
	for _, request := range server.Requests() {
		fmt.Println(request.Method, request.Path, string(request.Body))
	}
	// Output:
	// error: <nil>
	// POST /rest/v1/alert_events {"alert_type":"service_down","service_name":"db","status":"active"}
}

// A server that fails once, then works.
func ExampleServer_Intercept() {
	server := supabasetest.NewServer()
	defer server.Close()
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "<h1>Bad gateway</h1>", http.StatusBadGateway)
		return true
	})

	for range 2 {
		err := raise(context.Background(), server.Config().ServiceClient, "db")
		fmt.Println("failed:", err != nil)
	}
	// Output:
	// failed: true
	// failed: false
}

// A write that is carried out, although its answer is lost.
func ExampleServer_ServeHTTP() {
	server := supabasetest.NewServer()
	defer server.Close()
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		fmt.Println("answered:", answer.Code)
		panic(http.ErrAbortHandler)
	})

	err := raise(context.Background(), server.Config().ServiceClient, "db")
	fmt.Println("failed:", err != nil)
	// Output:
	// answered: 201
	// failed: true
}

// A project that is away, and comes back.
func ExampleServer_SetDown() {
	server := supabasetest.NewServer()
	defer server.Close()

	server.SetDown(true)
	err := raise(context.Background(), server.Config().ServiceClient, "db")
	fmt.Println("refused:", errors.Is(err, syscall.ECONNREFUSED))
	server.SetDown(false)
	err = raise(context.Background(), server.Config().ServiceClient, "db")
	fmt.Println("error:", err)
	// Output:
	// refused: true
	// error: <nil>
}

// Rows that are there before the test, and those that are there after it.
func ExampleServer_Insert() {
	server := supabasetest.NewServer()
	defer server.Close()

	err := server.Insert("alert_events", map[string]any{
		"service_name": "api", "alert_type": "recovery", "status": "resolved",
		"created_at": "2026-01-02T03:04:05Z", "details": map[string]any{"attempt": 3},
	})
	fmt.Println("error:", err)
	_ = raise(context.Background(), server.Config().ServiceClient, "db")
	for _, row := range server.Rows("alert_events") {
		fmt.Println(row["service_name"], row["status"], row["details"])
	}
	// Output:
	// error: <nil>
	// api resolved map[attempt:3]
	// db active <nil>
}

// A function of one's own, and one that refuses.
func ExampleServer_HandleRPC() {
	server := supabasetest.NewServer()
	defer server.Close()
	server.HandleRPC("add", func(args json.RawMessage) (any, error) {
		var numbers struct{ A, B int }
		err := json.Unmarshal(args, &numbers)
		return numbers.A + numbers.B, err
	})
	server.HandleRPC("open_incident", func(json.RawMessage) (any, error) {
		return nil, &supabase.Error{Code: "23505", Message: "there is one already"}
	})

	client, err := server.Config().ServiceClient()
	if err != nil {
		fmt.Println(err)
		return
	}
	var sum int
	err = client.RPC(context.Background(), "add", map[string]int{"a": 1, "b": 2}, &sum)
	fmt.Println(sum, err)
	err = client.RPC(context.Background(), "open_incident", map[string]int{}, nil)
	fmt.Println(errors.Is(err, supabase.ErrConflict))
	// Output:
	// 3 <nil>
	// true
}

// A client with the URL of a real project, without any network.
func ExampleServer_Transport() {
	server := supabasetest.NewServer()
	defer server.Close()

	config := server.Config()
	config.URL = "https://abc.supabase.co"
	config.Transport = server.Transport()
	err := raise(context.Background(), config.ServiceClient, "api")
	fmt.Println(err, len(server.Rows("alert_events")))
	// Output:
	// <nil> 1
}

// The example of the package's documentation: the first answer takes longer than
// an attempt may, and the test takes no time.
func TestInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := supabasetest.NewServer()
		defer server.Close()
		server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done() // the time limit of an attempt
			return true
		})
		began := time.Now()
		err := raise(t.Context(), server.Config().ServiceClient, "db")
		require.ErrorIs(t, err, supabase.ErrUnavailable) // a plain insert is not repeated
		require.Equal(t, 10*time.Second, time.Since(began))

		require.NoError(t, raise(t.Context(), server.Config().ServiceClient, "db"))
		require.Equal(t, "2000-01-01T00:00:10+00:00", server.Rows("alert_events")[0]["created_at"])
	})
}
