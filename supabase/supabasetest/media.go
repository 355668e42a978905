package supabasetest

import (
	"mime"
	"net/http"
	"strings"
)

const (
	mediaJSON   = "application/json; charset=utf-8"
	mediaObject = "application/vnd.pgrst.object+json; charset=utf-8"
)

// readAccept returns the media type of the answer. PostgREST reads one Accept
// header, the first, and takes its first type that it can make.
func readAccept(header http.Header) (string, error) {
	accept := header.Get("Accept")
	if accept == "" {
		return mediaJSON, nil
	}
	var types []string
	for name := range strings.SplitSeq(accept, ",") {
		name = strings.TrimSpace(name)
		switch name {
		case "*/*", "application/json":
			return mediaJSON, nil
		case "application/vnd.pgrst.object+json", "application/vnd.pgrst.object":
			return mediaObject, nil
		case "text/csv", "text/plain", "text/xml", "application/geo+json", "application/openapi+json",
			"application/octet-stream", "application/x-www-form-urlencoded", "":
			return "", unsupported("Accept: %s", accept)
		}
		if strings.HasPrefix(name, "application/vnd.pgrst.") || strings.ContainsAny(name, ";*") {
			return "", unsupported("Accept: %s", accept)
		}
		types = append(types, name)
	}
	return "", &failure{
		status:  http.StatusNotAcceptable,
		code:    "PGRST107",
		message: "None of these media types are available: " + strings.Join(types, ", "),
	}
}

// checkContentType refuses payloads that are not JSON.
func checkContentType(header http.Header) error {
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != "application/json" {
		return unsupported("Content-Type: %s", contentType)
	}
	return nil
}
