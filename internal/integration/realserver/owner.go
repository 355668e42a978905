package realserver

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// owner is another user who runs a server: PostgreSQL refuses to run as root.
type owner struct{ uid, gid uint32 }

// unprivileged returns who runs PostgreSQL: nil, this process's user, unless
// that is root.
func unprivileged() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			return newOwner(found)
		}
	}
	return nil, &MissingError{Program: "a user", Hint: "PostgreSQL refuses to run as root, and there is no user postgres or nobody"}
}

func newOwner(found *user.User) (*owner, error) {
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", found.Username, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", found.Username, err)
	}
	return &owner{uid: uint32(uid), gid: uint32(gid)}, nil
}

// own gives a file or folder to o.
func (o *owner) own(path string) error {
	if o == nil {
		return nil
	}
	return os.Chown(path, int(o.uid), int(o.gid))
}

// temp returns a folder for temporary folders that o can reach: root's own may
// lie below one that nobody else may enter.
func (o *owner) temp() string {
	temp := os.TempDir()
	if o == nil {
		return temp
	}
	for path := temp; ; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if path == filepath.Dir(path) {
			return temp
		}
	}
}
