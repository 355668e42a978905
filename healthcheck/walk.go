package healthcheck

import (
	"errors"
	"fmt"
	"slices"

	"github.com/supavigil/supavigil/internal/column"
)

// walk goes through services by name, some with each request, as the functions of
// migrations 015 and 017 let it. Their order of names need not be ours.
type walk struct {
	names []string // those left of the ones asked for
	every bool     // or every service
	asked page
	seen  map[string]bool
	last  string // that came
	done  bool
}

// page is what a function is told of the services.
type page struct {
	ServiceNames []string `json:"service_names"` // null: every service
	AfterService *string  `json:"after_service"` // null: from the first
	MaxServices  int      `json:"max_services"`
}

// walkThrough begins at the first of names; nil stands for every service.
func walkThrough(names []string) *walk {
	w := &walk{every: names == nil, seen: map[string]bool{}}
	w.names = slices.Compact(slices.Sorted(slices.Values(names)))
	w.done = !w.every && len(w.names) == 0
	return w
}

// next returns what to ask for, at most most services.
func (w *walk) next(most int) page {
	w.asked.MaxServices = most
	if !w.every {
		w.asked.ServiceNames = w.names[:min(most, len(w.names))]
	}
	return w.asked
}

// came takes note of a service that the answer has.
func (w *walk) came(name string) error {
	if w.seen[name] {
		return errors.New("the function repeats services: each must come once, and after after_service")
	}
	if _, asked := slices.BinarySearch(w.asked.ServiceNames, name); !w.every && !asked {
		return errors.New("the answer has a service that was not asked for")
	}
	w.seen[name] = true
	w.last = name
	return nil
}

// turn goes on to the next page, after so many services came.
func (w *walk) turn(services int) {
	if w.every {
		w.done = services < w.asked.MaxServices
		w.asked.AfterService = new(w.last)
		return
	}
	w.names = w.names[len(w.asked.ServiceNames):]
	w.done = len(w.names) == 0
}

// serviceNames checks a list of names, and names the place of a wrong one.
func serviceNames(names []string) error {
	for i, name := range names {
		if err := column.ServiceName(name); err != nil {
			return fmt.Errorf("service name %d: %w", i+1, err)
		}
	}
	return nil
}
