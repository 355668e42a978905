package supabase

// Version is the version of this library, sent as supavigil/<version> in
// User-Agent.
const Version = "0.1.0"
