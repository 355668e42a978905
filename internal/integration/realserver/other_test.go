//go:build !unix

package realserver

func gone(int) bool { return true }
