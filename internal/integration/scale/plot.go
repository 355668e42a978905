package main

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// plot draws what finding costs as the table grows.
func (s *stand) plot(folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	p := plot.New()
	p.Title.Text = "Finding, by rows in the table"
	p.X.Label.Text, p.Y.Label.Text = "rows", "median, ms"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades(4, 7)
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades(0, 2)
	p.Y.Min, p.Y.Max = 1, 400
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.YOffs, p.Legend.Padding = 8*vg.Points(1), -6*vg.Points(1), 3*vg.Points(1)
	var one, all plotter.XYs
	for _, size := range s.sizes {
		one = append(one, point(size.rows, median(size.latest)))
		all = append(all, point(size.rows, median(size.latestOfAll)))
	}
	p.Add(plotter.NewGrid())
	if err := plotutil.AddLinePoints(p, "FindLatest, all services", all, "FindLatestByService", one); err != nil {
		return err
	}
	return p.Save(16*vg.Centimeter, 9*vg.Centimeter, filepath.Join(folder, "latest.png"))
}

// decades are ticks at the powers of ten.
func decades(from, to int) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for exponent := from; exponent <= to; exponent++ {
		value := math.Pow10(exponent)
		label := strconv.FormatFloat(value, 'f', 0, 64)
		if exponent >= 6 {
			label = strconv.FormatFloat(value/1e6, 'f', 0, 64) + " million"
		}
		ticks = append(ticks, plot.Tick{Value: value, Label: label})
	}
	return ticks
}

func point(rows int, took time.Duration) plotter.XY {
	return plotter.XY{X: float64(rows), Y: float64(took) / float64(time.Millisecond)}
}
