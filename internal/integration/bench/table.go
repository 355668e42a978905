package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// tailed is how many requests a p99.9 needs to mean anything.
const tailed = 1000

// The widths of the first columns, which are flush left in tables that are not.
const names, titles = 12, 70

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// print writes the tables: each cell's clients, then the goals.
func (r *Report) print(out io.Writer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s on %s, %d processors; %d rounds of %s after a warm-up of %s.\n", r.Go, r.System, r.Processors, r.Rounds, r.Duration, r.WarmUp)
	text.WriteString("Each value is the median of the rounds, ± half of what lies between the extremes. × is to hand-written.\n")
	for _, note := range r.Notes {
		text.WriteString(note + ".\n")
	}
	var lines []string
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	var last Cell
	for _, s := range r.Summaries {
		if s.Cell != last {
			last = s.Cell
			lines = append(lines, fmt.Sprintf("\n%s, %s, %d callers", s.Protocol.Title(), s.Case, s.Callers), pad("client", names)+"\trequests/s\tp50 ms\tp99 ms\tp99.9 ms\tCPU µs\tallocations\tKB\tconnections\t× requests/s\t× CPU\t× allocations\t")
		}
		lines = append(lines, strings.Join(s.line(r.Rounds), "\t")+"\t")
	}
	if len(r.Verdicts) > 0 {
		lines = append(lines, "\nGoals of supavigil", pad("goal", titles)+"\tbound\tmeasured\tround by round\tmet\t")
	}
	for _, v := range r.Verdicts {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%.2f\t%.2f … %.2f\t%s\t", pad(v.Goal, titles), v.Bound, v.Measured.Median, v.Measured.Min, v.Measured.Max, v.word()))
	}
	if _, err := io.WriteString(table, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range r.Summaries {
		if s.Errors > 0 {
			fmt.Fprintf(&text, "\n%s, %s, %s, %d callers: %d calls failed; the first: %s\n", s.Client, s.Protocol.Title(), s.Case, s.Callers, s.Errors, s.Error)
		}
	}
	_, err := out.Write(text.Bytes())
	return err
}

func (s Summary) line(rounds int) []string {
	cells := []string{pad(string(s.Client), names)}
	for _, m := range metrics() {
		value, ok := s.Values[m]
		switch {
		case !ok, m == p999 && s.Requests < tailed*rounds:
			cells = append(cells, "–")
			continue
		case m == bytesEach:
			value = Spread{Median: value.Median / 1000, Min: value.Min / 1000, Max: value.Max / 1000}
		}
		cells = append(cells, value.String())
	}
	for _, m := range []metric{perSecond, cpu, allocations} {
		if value, ok := s.Ratios[m]; ok {
			cells = append(cells, fmt.Sprintf("%.2f", value.Median))
		} else {
			cells = append(cells, "–")
		}
	}
	return cells
}

// String is the median, and how far the extremes are apart where that shows.
func (s Spread) String() string {
	digits := 0
	for limit := 100.0; s.Median < limit && digits < 2; limit /= 10 {
		digits++
	}
	text := fmt.Sprintf("%.*f", digits, s.Median)
	if half := math.Round((s.Max - s.Min) / 2 / math.Max(s.Median, 1e-9) * 100); half >= 1 {
		text += fmt.Sprintf(" ±%.0f%%", half)
	}
	return text
}

func (v Verdict) word() string {
	word := "no"
	if v.Met {
		word = "yes"
	}
	if !v.Certain {
		word += ", but not in every round"
	}
	return word
}
