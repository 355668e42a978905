package supabasetest

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

// answer is what goes back for one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) write(w http.ResponseWriter, method string) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if method != http.MethodHead && len(a.body) > 0 {
		_, _ = w.Write(a.body) //nolint:gosec // JSON, declared as such; an error means that the client has left
	}
}

// newAnswer starts an answer with the headers that all methods share.
func (c *call) newAnswer(status int, contentRange string) *answer {
	a := &answer{status: status, header: http.Header{}}
	a.header.Set("Content-Range", contentRange)
	c.prefer.applied(a.header, c.method)
	return a
}

// represent sets the body to the selected columns of rows, or of the one row that an
// object asks for.
func (c *call) represent(a *answer, rows []*row, columns []int) {
	c.describe(a)
	if c.media == mediaObject {
		a.body = c.table.appendRow(nil, rows[0], columns)
		return
	}
	a.body = c.table.appendRows(rows, columns)
}

// describe says in an answer's headers what its body is.
func (c *call) describe(a *answer) {
	a.header.Set("Content-Type", c.media)
	if c.profile {
		a.header.Set("Content-Profile", schema)
	}
}

// checkOne refuses an object that is not exactly one row, whether or not it
// would be returned.
func (c *call) checkOne(rows int) error {
	if c.media == mediaObject && rows != 1 {
		return notOneRow(rows)
	}
	return nil
}

// checkAffected enforces max-affected.
func (c *call) checkAffected(rows int) error {
	if c.prefer.affected != "" && int64(rows) > c.prefer.most {
		return tooManyAffected(rows)
	}
	return nil
}

// rangeOf prints a Content-Range of rows from first on; total is -1 when it was
// not asked for.
func rangeOf(first int64, rows, total int) string {
	text := "*"
	if rows > 0 && total != 0 {
		text = fmt.Sprintf("%d-%d", first, first+int64(rows)-1)
	}
	if total < 0 {
		return text + "/*"
	}
	return text + "/" + strconv.Itoa(total)
}

// total is the count of rows when it was asked for, else -1.
func (c *call) total(rows int) int {
	if c.prefer.counted() {
		return rows
	}
	return -1
}

// columns returns the positions of the selected columns.
func (c *call) columns() ([]int, error) {
	var columns []int
	for _, name := range c.query.selected {
		if name == "*" {
			columns = append(columns, c.table.all()...)
			continue
		}
		i := c.table.index(name)
		if i < 0 {
			return nil, unknownColumn(c.table.name, name)
		}
		columns = append(columns, i)
	}
	return columns, nil
}
