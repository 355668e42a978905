package main

// target is a server that is measured, by one protocol.
type target struct {
	url         string // the project's; "": there is only restURL
	restURL     string
	key         string
	certificate string // the file that vouches for it; "": nothing has to
}

// environment tells a client where the server is. The certificate takes the
// place of the system's, so that clients need no settings of their own.
func (t target) environment() []string {
	variables := []string{"SUPABASE_REST_URL=" + t.restURL, "SUPABASE_SERVICE_KEY=" + t.key}
	if t.url != "" {
		variables = append(variables, "SUPABASE_URL="+t.url)
	}
	if t.certificate != "" {
		variables = append(variables, "SSL_CERT_FILE="+t.certificate, "NODE_EXTRA_CA_CERTS="+t.certificate)
	}
	return variables
}
