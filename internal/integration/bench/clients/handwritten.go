package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// handWritten is what a good engineer writes for these tables: one http.Client
// with a pool that fits, a time limit, and encoding/json. It neither retries nor
// validates nor hides the key.
type handWritten struct {
	client http.Client
	rest   string
	key    string
}

func newHandWritten(target Target) *handWritten {
	transport := http.DefaultTransport.(*http.Transport).Clone() // net/http's own
	// Two idle connections, net/http's default, would mean to dial for nearly
	// every request. 64 are as many as this library's pool has, and they stay
	// the limit where there are more callers: these wait for one.
	transport.MaxIdleConnsPerHost = 64
	transport.MaxConnsPerHost = 64
	return &handWritten{client: http.Client{Transport: transport}, rest: target.RESTURL, key: target.Key}
}

const handWrittenTimeout = 10 * time.Second

// do sends a request and decodes its answer into result, unless that is nil.
func (h *handWritten) do(ctx context.Context, method, path, prefer, accept string, body, result any) error {
	ctx, cancel := context.WithTimeout(ctx, handWrittenTimeout)
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, h.rest+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("apikey", h.key)
	if !strings.HasPrefix(h.key, "sb_") {
		request.Header.Set("Authorization", "Bearer "+h.key)
	}
	request.Header.Set("Accept", accept)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Prefer", prefer)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %.200s", method, path, response.Status, answer)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer, result)
}

const (
	array          = "application/json"
	object         = "application/vnd.pgrst.object+json"
	representation = "return=representation"
	minimal        = "return=minimal"
)

func openHandWritten[T Times](target Target, w *work) map[Case]Operation {
	h := newHandWritten(target)
	return map[Case]Operation{
		Create: func(ctx context.Context, n int) error {
			var row check[T]
			if err := h.do(ctx, http.MethodPost, "/service_health_checks", representation, object, w.newCheck(n), &row); err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindLatest: func(ctx context.Context, n int) error {
			query := url.Values{
				"select": {"*"}, "service_name": {"eq." + w.service(n)}, "and": {"(checked_at.not.is.null)"},
				"order": {"checked_at.desc.nullslast,id.desc.nullslast"}, "limit": {"1"},
			}
			var row check[T]
			if err := h.do(ctx, http.MethodGet, "/service_health_checks?"+query.Encode(), "", object, nil, &row); err != nil {
				return err
			}
			return identified(row.ID)
		},
		FindAll100:  findAll[T](h, 100),
		FindAll1000: findAll[T](h, 1000),
		Acknowledge: func(ctx context.Context, n int) error {
			query := url.Values{"id": {"eq." + AlertID(n)}, "status": {"eq.active"}}
			var rows []alert[T]
			if err := h.do(ctx, http.MethodPatch, "/alert_events?"+query.Encode(), representation, array, acknowledged(), &rows); err != nil {
				return err
			}
			return counted(len(rows), 1)
		},
		CreateMany: func(ctx context.Context, _ int) error {
			return h.do(ctx, http.MethodPost, "/service_health_checks", minimal, array, w.newChecks(), nil)
		},
	}
}

func findAll[T Times](h *handWritten, limit int) Operation {
	return func(ctx context.Context, _ int) error {
		query := url.Values{
			"select": {"*"}, "and": {"(created_at.not.is.null)"},
			"order": {"created_at.desc.nullsfirst,id.desc.nullsfirst"}, "limit": {strconv.Itoa(limit)},
		}
		var rows []check[T]
		if err := h.do(ctx, http.MethodGet, "/service_health_checks?"+query.Encode(), "", array, nil, &rows); err != nil {
			return err
		}
		return counted(len(rows), limit)
	}
}
