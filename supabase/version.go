package supabase

// Version is this library's, sent in User-Agent as supavigil/<version>.
const Version = "0.1.0"
