package supabase_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/supavigil/supavigil/supabase"
	"github.com/supavigil/supavigil/supabase/supabasetest"
)

func ExampleConfig_ServiceClient() {
	_, err := supabase.Config{URL: "https://abc.supabase.co", Key: "sb_publishable_x"}.ServiceClient()
	fmt.Println(errors.Is(err, supabase.ErrInvalid))
	fmt.Println(err)
	// Output:
	// true
	// supabase: the key is a publishable one, for browsers: give a secret key (sb_secret_…)
}

func ExampleSecret() {
	config := supabase.Config{URL: "https://abc.supabase.co", Key: "sb_secret_x"}
	fmt.Printf("%v %s\n", config.Key, string(config.Key))
	// Output: REDACTED sb_secret_x
}

// What the models do not offer is reached with a query of postgrest-go.
func ExampleClient_From() {
	server := supabasetest.NewServer()
	defer server.Close()
	client, err := server.Config().ServiceClient()
	if err != nil {
		fmt.Println(err)
		return
	}

	_, count, err := client.From("service_health_checks").
		Select("id", "exact", true).
		Eq("status", "down").
		ExecuteWithContext(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(count, "checks are down")
	// Output: 0 checks are down
}

func ExampleClient_RPC() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		_, _ = w.Write([]byte(`{"uptime": 99.95}`))
	}))
	defer server.Close()
	client, err := supabase.Config{URL: server.URL, Key: "sb_secret_x"}.ServiceClient()
	if err != nil {
		fmt.Println(err)
		return
	}

	var result struct{ Uptime float64 }
	if err := client.RPC(context.Background(), "uptime_of", map[string]string{"service": "api"}, &result); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Uptime)
	// Output:
	// POST /rest/v1/rpc/uptime_of
	// 99.95
}

func ExampleError() {
	server := supabasetest.NewServer()
	defer server.Close()
	client, err := server.Config().ServiceClient()
	if err != nil {
		fmt.Println(err)
		return
	}

	err = client.RPC(context.Background(), "uptime_of", nil, nil)
	if e, ok := errors.AsType[*supabase.Error](err); ok {
		fmt.Println(e.Op, e.Table, e.Status, e.Code, e.Attempts)
	}
	// Output: rpc uptime_of 404 PGRST202 1
}
