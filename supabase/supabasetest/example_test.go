package supabasetest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

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
