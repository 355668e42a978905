package main

import (
	"fmt"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// latency shows p50 and p99 of Create over the number of callers, one panel for
// each protocol and percentile.
func (r *Report) latency() ([][]*plot.Plot, error) {
	var rows [][]*plot.Plot
	for _, protocol := range []Protocol{HTTP1, TLS1, TLS2} {
		var row []*plot.Plot
		for _, of := range []metric{p50, p99} {
			panel, err := r.lines(protocol, clients.Create, of)
			if err != nil {
				return nil, err
			}
			if panel != nil {
				row = append(row, panel)
			}
		}
		if len(row) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// lines draws a latency over the number of callers, both in powers. It is nil
// where nothing was measured.
func (r *Report) lines(protocol Protocol, name clients.Case, of metric) (*plot.Plot, error) {
	panel := plot.New()
	percentile := map[metric]string{p50: "median", p99: "99th percentile"}[of]
	panel.Title.Text = fmt.Sprintf("%s, %s: %s", name, protocol.Title(), percentile)
	panel.Title.Padding = 2 * vg.Millimeter
	panel.X.Label.Text, panel.Y.Label.Text = "callers", "latency, ms"
	panel.X.Scale, panel.Y.Scale = plot.LogScale{}, plot.LogScale{}
	var ticks []plot.Tick
	for _, callers := range []int{1, 8, usual, 256} {
		ticks = append(ticks, plot.Tick{Value: float64(callers), Label: strconv.Itoa(callers)})
	}
	panel.X.Tick.Marker = plot.ConstantTicks(ticks)
	panel.Y.Tick.Marker = plot.ConstantTicks(milliseconds())
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{Y: 0xe4}, color.Gray{Y: 0xe4}
	panel.Add(grid)
	drawn := false
	for _, client := range clients.Names() {
		var points plotter.XYs
		for _, callers := range []int{1, 8, usual, 256} {
			if s, ok := r.find(Cell{protocol, name, callers}, client); ok && s.Values[of].Median > 0 {
				points = append(points, plotter.XY{X: float64(callers), Y: s.Values[of].Median})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = colour(client), vg.Points(1.8)
		dots.Color, dots.Shape, dots.Radius = colour(client), draw.CircleGlyph{}, vg.Points(3)
		panel.Add(line, dots)
		panel.Legend.Add(string(client), line, dots)
		drawn = true
	}
	if !drawn {
		return nil, nil //nolint:nilnil // as said
	}
	panel.Legend.TextStyle.Font.Size, panel.Legend.Padding = font.Points(9), vg.Millimeter
	panel.Legend.Top, panel.Legend.Left = true, true
	panel.Legend.XOffs, panel.Legend.YOffs = 2*vg.Millimeter, -1*vg.Millimeter
	panel.X.Min, panel.X.Max = 0.8, 320
	panel.Y.Min, panel.Y.Max = 0.4, 1000
	return panel, nil
}

// milliseconds are the marks of a latency's axis.
func milliseconds() []plot.Tick {
	var ticks []plot.Tick
	for _, value := range []float64{0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		ticks = append(ticks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'g', -1, 64)})
	}
	return ticks
}
