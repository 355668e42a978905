package supabase_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/supavigil/supavigil/supabase"
)

// A write whose fate the last answer does not tell is uncertain, a read never.
func TestErrorSaysThatAWriteMayStand(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		steps     []step
		uncertain bool
	}{
		"no answer":                 {[]step{reset}, true},
		"nothing listens":           {[]step{refusedBy}, false},
		"502":                       {[]step{{status: 502}}, true},
		"a gateway's 500":           {[]step{{status: 500}}, true},
		"408":                       {[]step{{status: 408}}, true},
		"no connection to database": {[]step{postgrestError(503, "PGRST000", "no connection")}, false},
		"connection lost":           {[]step{postgrestError(503, "PGRST001", "lost")}, true},
		"operator":                  {[]step{postgrestError(500, "57P01", "terminating connection")}, true},
		"connection failure":        {[]step{postgrestError(500, "08006", "connection failure")}, true},
		"deadlock":                  {[]step{postgrestError(500, "40P01", "deadlock")}, false},
		"statement timeout":         {[]step{postgrestError(500, "57014", "timeout")}, false},
		"raised":                    {[]step{postgrestError(500, "P0002", "no data")}, false},
		"403":                       {[]step{{status: 403}}, false},
		"409":                       {[]step{postgrestError(409, "23505", "duplicate")}, false},
		"429":                       {[]step{{status: 429}}, false},
		"501":                       {[]step{{status: 501}}, false},
		"lost, then 403":            {[]step{reset, {status: 403}}, true},
		"lost, then 409":            {[]step{reset, postgrestError(409, "23505", "duplicate")}, true},
		"502, then nothing listens": {[]step{{status: 502}, refusedBy}, true},
		"nothing listens, then 403": {[]step{refusedBy, {status: 403}}, false},
	} {
		for _, kind := range []string{"marked POST", "GET"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				s := &script{steps: test.steps}
				client := s.client(t)
				var e *supabase.Error
				synctest.Test(t, func(t *testing.T) { e = send(t.Context(), client, kind) })
				require.NotNil(t, e)
				require.Equal(t, test.uncertain && kind != http.MethodGet, e.Uncertain)
			})
		}
	}
}
