package main

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/supavigil/supavigil/internal/integration/realserver"
)

//go:embed postgrestjs.mjs
var postgrestJSScript []byte

// postgrestJS returns the command that measures postgrest-js, but for the job.
func postgrestJS(ctx context.Context, folder string) ([]string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	modules, err := realserver.NodeModules(ctx)
	if err != nil {
		return nil, err
	}
	script := filepath.Join(folder, "postgrestjs.mjs")
	return []string{node, script, modules}, os.WriteFile(script, postgrestJSScript, 0o600)
}
