//go:build !go1.27 || !goexperiment.jsonv2

package column

import "encoding/json"

// marshal is json.Marshal, and says whether PostgreSQL takes each string as text.
// Bytes that were not UTF-8 come as the escape \ufffd, and a U+FFFD that was
// there as it is, so that isText tells them apart.
func marshal(value any) (data []byte, text bool, err error) {
	data, err = json.Marshal(value)
	return data, err == nil && isText(data), err
}
