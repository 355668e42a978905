//go:build go1.27 && goexperiment.jsonv2

package column

import (
	"encoding/json"
	"encoding/json/jsontext"
	jsonv2 "encoding/json/v2"
)

// marshal is json.Marshal, and says whether PostgreSQL takes each string as text.
// Since Go 1.27 json.Marshal writes U+FFFD itself for bytes that were not UTF-8,
// so that nobody could tell; hence they are an error first.
func marshal(value any) (data []byte, text bool, err error) {
	data, err = jsonv2.Marshal(value, json.DefaultOptionsV1(), jsontext.AllowInvalidUTF8(false))
	if err == nil {
		return data, isText(data), nil
	}
	data, err = json.Marshal(value)
	return data, false, err
}
