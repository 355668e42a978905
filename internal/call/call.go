// Package call lets a model and the transport speak about one request: the
// model says that it may be repeated, the transport says how it went.
package call

import "context"

// Record belongs to one request. The transport fills it before the request
// returns; it is not for sharing between goroutines.
type Record struct {
	// Payload, unless it is nil, is sent as the request's body, in the place of one
	// that has none: JSON that is not to be encoded again.
	Payload []byte
	// Body is the answer's. It comes this way so that it is not copied on the
	// other: the response that goes with it has none.
	Body []byte
	// Repeatable says that the request may be sent again whatever became of an
	// earlier attempt, since its effect is the same once or many times.
	Repeatable bool
	// Divisible says that fewer rows can be asked for: what may be too much for one
	// answer is not asked for again as it is.
	Divisible bool
	// TooMuch says, beside the failure of a divisible request, that one for fewer rows
	// may be answered. Attempts counts on where it is set to those that were lost.
	TooMuch bool
	// Status is the HTTP status of the last answer; 0 when none came.
	Status int
	// Attempts is how often the request was sent.
	Attempts int
	// Counted says that the answer's Content-Range carried a total.
	Counted bool
	// Unsure says that an attempt before the last may have been carried out
	// though its answer did not say so.
	Unsure bool
	// LastUnsure says the same of the last attempt, where the request failed.
	LastUnsure bool
}

type key struct{}

// Repeatable returns a context that marks the one request made with it as
// repeatable, and the record that this request fills.
func Repeatable(ctx context.Context) (context.Context, *Record) {
	record := &Record{Repeatable: true}
	return context.WithValue(ctx, key{}, record), record
}

// Hide returns a context without the record: what is done with it, below the
// transport, is another request.
func Hide(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, (*Record)(nil))
}

// Ensure returns a context with a record, and the record: the one in ctx or,
// without one, a new one that marks nothing as repeatable.
func Ensure(ctx context.Context) (context.Context, *Record) {
	if record, ok := FromContext(ctx); ok {
		return ctx, record
	}
	record := &Record{}
	return context.WithValue(ctx, key{}, record), record
}

// FromContext returns the record in ctx, and whether there is one. Without one it
// returns a new record that nobody reads and that marks nothing as repeatable.
func FromContext(ctx context.Context) (record *Record, read bool) {
	if record, _ := ctx.Value(key{}).(*Record); record != nil {
		return record, true
	}
	return &Record{}, false
}
