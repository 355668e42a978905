package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/supavigil/supavigil/internal/integration/realserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(realserver.Main(m)) }

// What the program checks by itself holds at any size.
func TestRun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-rows", "24000", "-services", "30", "-finds", "100", "-plots", folder}, &out)
	realserver.Need(t, err)
	for _, operation := range []string{"CreateMany", "FindLatestByService", "FindLatest", "All", "DeleteOlderThan", "Create"} {
		require.Contains(t, out.String(), "`"+operation+"`")
	}
	plot, err := os.ReadFile(filepath.Join(folder, "latest.png"))
	require.NoError(t, err)
	require.Equal(t, "image/png", http.DetectContentType(plot))
}
