package main

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/supavigil/supavigil/internal/integration/bench/clients"
)

// plot draws what the goals are about. A plot for which nothing was measured is
// left out.
func (r *Report) plot(folder string) error {
	for name, panels := range map[string]func() ([][]*plot.Plot, error){
		"throughput.png": r.throughput,
		"cpu.png":        r.processor,
		"latency.png":    r.latency,
	} {
		rows, err := panels()
		if err == nil && len(rows) > 0 {
			err = save(filepath.Join(folder, name), rows)
		}
		if err != nil {
			return fmt.Errorf("plot %s: %w", name, err)
		}
	}
	return nil
}

// save draws panels in rows of equal length into a PNG.
func save(path string, rows [][]*plot.Plot) error {
	const width, height, resolution = 5.5 * vg.Inch, 3.6 * vg.Inch, 110
	canvas := vgimg.NewWith(
		vgimg.UseWH(width*vg.Length(len(rows[0])), height*vg.Length(len(rows))), vgimg.UseDPI(resolution))
	tiles := draw.Tiles{
		Rows: len(rows), Cols: len(rows[0]),
		PadTop: 3 * vg.Millimeter, PadBottom: 3 * vg.Millimeter, PadLeft: 3 * vg.Millimeter, PadRight: 5 * vg.Millimeter,
		PadX: 6 * vg.Millimeter, PadY: 6 * vg.Millimeter,
	}
	for i, row := range plot.Align(rows, tiles, draw.New(canvas)) {
		for j, area := range row {
			if rows[i][j] != nil {
				rows[i][j].Draw(area)
			}
		}
	}
	file, err := os.Create(path) //nolint:gosec // where the caller wants it
	if err != nil {
		return err
	}
	_, err = vgimg.PngCanvas{Canvas: canvas}.WriteTo(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// colour is a client's in every plot; they are told apart without seeing red or
// green.
func colour(client clients.Name) color.Color {
	switch client {
	case clients.HandWritten:
		return color.Gray{Y: 0x80}
	case clients.PostgrestGo:
		return color.RGBA{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff}
	case clients.SupabaseGo:
		return color.RGBA{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff}
	case clients.PostgrestJS:
		return color.RGBA{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}
	case clients.Ours:
		return color.RGBA{R: 0x00, G: 0x52, B: 0x8a, A: 0xff}
	default:
		return color.Black
	}
}

// find returns a client's summary at a cell.
func (r *Report) find(cell Cell, client clients.Name) (Summary, bool) {
	for _, s := range r.Summaries {
		if s.Cell == cell && s.Client == client {
			return s, true
		}
	}
	return Summary{}, false
}
