package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
)

var (
	uuids      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	timestamps = regexp.MustCompile(`\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d{1,6})?\+00(:00)?`)
)

// equal tells whether two answers are the same but for what the server makes up.
func equal(a, b []byte) (bool, error) {
	var values [2]any
	for i, text := range [][]byte{a, b} {
		if err := json.Unmarshal(normalise(text), &values[i]); err != nil {
			return false, err
		}
	}
	return reflect.DeepEqual(values[0], values[1]), nil
}

// normalise replaces random ids, and times of the server's clock, by their form.
// The ids that requests send begin with zeros, and their times are on 2 January 2026.
func normalise(text []byte) []byte {
	text = uuids.ReplaceAllFunc(text, func(id []byte) []byte {
		if bytes.HasPrefix(id, []byte("00000000-")) {
			return id
		}
		return []byte("a random id")
	})
	return timestamps.ReplaceAllFunc(text, func(at []byte) []byte {
		if bytes.HasPrefix(at, []byte("2026-01-02")) {
			return at
		}
		return timestamps.ReplaceAll(at, []byte("now, written as date${1}time+00${3}"))
	})
}

// line is JSON on one line.
func line(text []byte) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return string(text)
	}
	return compact.String()
}
