package main

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// throughput compares the clients at Create, one panel for each protocol.
func (r *Report) throughput() ([][]*plot.Plot, error) {
	var row []*plot.Plot
	for _, protocol := range []Protocol{HTTP1, TLS1, TLS2, RealServer} {
		panel, err := r.bars(Cell{protocol, clients.Create, usual}, perSecond, fmt.Sprintf("Create, %s, %d callers", protocol.Title(), usual), "requests per second")
		if err != nil {
			return nil, err
		}
		if panel != nil {
			row = append(row, panel)
		}
	}
	return inRows(row, 2), nil
}

// processor compares what a request costs, one panel for each case.
func (r *Report) processor() ([][]*plot.Plot, error) {
	var row []*plot.Plot
	for _, name := range clients.Cases() {
		panel, err := r.bars(Cell{HTTP1, name, usual}, cpu, fmt.Sprintf("%s, HTTP/1.1, %d callers", name, usual), "CPU of the client, µs per request")
		if err != nil {
			return nil, err
		}
		if panel != nil {
			row = append(row, panel)
		}
	}
	return inRows(row, 3), nil
}

// inRows breaks panels into rows of a length; the last is filled up with nil.
func inRows(panels []*plot.Plot, length int) [][]*plot.Plot {
	var rows [][]*plot.Plot
	length = min(length, len(panels))
	for from := 0; from < len(panels); from += length {
		row := make([]*plot.Plot, length)
		copy(row, panels[from:])
		rows = append(rows, row)
	}
	return rows
}

// bars draws a metric of every client at a cell, with its value above each bar
// and the extremes of the rounds. It is nil where nothing was measured.
func (r *Report) bars(cell Cell, of metric, title, unit string) (*plot.Plot, error) {
	panel := plot.New()
	panel.Title.Text, panel.Y.Label.Text = title, unit
	panel.Title.Padding = 2 * vg.Millimeter
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = nil, color.Gray{Y: 0xe4}
	panel.Add(grid)
	var names []string
	highest := 0.0
	for _, client := range clients.Names() {
		s, ok := r.find(cell, client)
		value, measured := s.Values[of]
		if !ok || !measured {
			continue
		}
		at := float64(len(names))
		names = append(names, string(client))
		highest = max(highest, value.Max)
		bar, err := plotter.NewBarChart(plotter.Values{value.Median}, 12*vg.Millimeter)
		if err != nil {
			return nil, err
		}
		bar.XMin, bar.Color, bar.LineStyle.Width = at, colour(client), 0
		extremes, err := plotter.NewYErrorBars(extreme{XYs: plotter.XYs{{X: at, Y: value.Median}}, spread: value})
		if err != nil {
			return nil, err
		}
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: at, Y: value.Max}}, Labels: []string{rounded(value.Median)}})
		if err != nil {
			return nil, err
		}
		label.TextStyle[0].XAlign, label.TextStyle[0].Font.Size = text.XCenter, font.Points(9)
		label.Offset.Y = vg.Points(3)
		panel.Add(bar, extremes, label)
	}
	if len(names) == 0 {
		return nil, nil //nolint:nilnil // as said
	}
	panel.NominalX(names...)
	panel.X.Tick.Label.Font.Size = font.Points(9)
	panel.Y.Tick.Marker = plot.TickerFunc(whole)
	panel.X.Min, panel.X.Max = -0.6, float64(len(names))-0.4
	panel.Y.Min, panel.Y.Max = 0, highest*1.12
	return panel, nil
}

// extreme is one point whose error bar goes to the extremes of the rounds.
type extreme struct {
	plotter.XYs

	spread Spread
}

// YError is how far the extremes are below and above.
func (e extreme) YError(int) (low, high float64) {
	return e.spread.Median - e.spread.Min, e.spread.Max - e.spread.Median
}

// whole marks an axis that starts at 0 with four to eight round numbers.
func whole(_, highest float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10(highest/2)))
	for highest/step > 8 {
		step *= 2
		if highest/step > 8 {
			step *= 2.5
		}
	}
	var ticks []plot.Tick
	for value := 0.0; value <= highest; value += step {
		ticks = append(ticks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'f', -1, 64)})
	}
	return ticks
}

// rounded writes a value short enough to stand above its bar.
func rounded(value float64) string {
	if value >= 100 {
		return fmt.Sprintf("%.0f", value)
	}
	return fmt.Sprintf("%.1f", value)
}
