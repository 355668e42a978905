package main

import (
	"os"
	"path/filepath"
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
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 0}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 2}
	p.Y.Min, p.Y.Max = 0.1, 1000
	p.Legend.Top = true
	var one, all plotter.XYs
	for _, size := range s.sizes {
		one = append(one, point(size.rows, median(size.latest)))
		all = append(all, point(size.rows, median(size.latestOfAll)))
	}
	p.Add(plotter.NewGrid())
	if err := plotutil.AddLinePoints(p, "FindLatest, all services", all, "FindLatestByService", one); err != nil {
		return err
	}
	return p.Save(16*vg.Centimeter, 9*vg.Centimeter, filepath.Join(folder, "latest.svg"))
}

func point(rows int, took time.Duration) plotter.XY {
	return plotter.XY{X: float64(rows), Y: float64(took) / float64(time.Millisecond)}
}
