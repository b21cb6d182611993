package main

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"edgescan/internal/alert"
	"edgescan/internal/confine"
)

// errNotRoot is runUser's error for who may not become the user.
var errNotRoot = errors.New("only root can become another user")

// runUser returns whom a run on interfaces becomes.
func runUser(f *runFlags) (confine.User, error) {
	if f.user != "" && !f.onSockets() {
		return confine.User{}, errors.New("--user goes with interfaces (-i) and --listen: files are opened one after the other, by whoever calls")
	}
	if !f.onSockets() {
		return confine.User{UID: os.Geteuid(), GID: os.Getegid()}, nil
	}
	user, err := confine.LookupUser(f.user)
	if err != nil {
		return user, err
	}
	if f.user != "" && os.Geteuid() != 0 && os.Geteuid() != user.UID {
		return user, errNotRoot
	}
	return user, nil
}

// confine gives up what is not needed any more. Start opens, as whom the program
// becomes, what it may not open once its files are closed.
func (f *runFlags) confine(log zerolog.Logger, user confine.User, d *delivery, start func() error) error {
	if f.onSockets() {
		return confineLive(log, f, user, d, start)
	}
	if err := start(); err != nil {
		return err
	}
	access := d.access()
	f.pictures.access(&access)
	f.web.access(&access)
	confineFiles(log, access)
	return nil
}

// confineLive gives up what watching does not need, once interfaces, JSON file
// and model are open, and says so in one line. What the kernel refuses to
// take does not keep the program from watching, unless it is a user that was
// asked for.
func confineLive(log zerolog.Logger, f *runFlags, user confine.User, d *delivery, start func() error) error {
	err := confine.Drop(user)
	if err != nil && f.user != "" && os.Geteuid() != user.UID {
		return err
	}
	if err := start(); err != nil {
		return err
	}
	access := d.access()
	f.pictures.access(&access)
	f.web.access(&access)
	access.Read = append(access.Read, "/proc/self") // the summary tells the memory used
	access.Read = append(access.Read, foldersOf(f.hosts, f.leases, f.config.path)...)
	access.Read = append(access.Read, foldersOf(f.policy.allowFiles...)...)
	line := log.Info()
	if err := errors.Join(err, confine.Restrict(access)); err != nil {
		line = log.Warn().Str("kept", inOneLine(err))
	}
	line.Int("user", os.Geteuid()).Msg("privileges dropped")
	return nil
}

// confineFiles gives up what reading captures does not need: to write
// elsewhere than below the folder of output, TCP, and to start programs. Systems
// that lack the means are passed over in silence, for nothing runs here as
// anybody else than the caller.
func confineFiles(log zerolog.Logger, access confine.Access) {
	access.ReadAll = true
	err := confine.Restrict(access)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		log.Warn().Str("kept", inOneLine(err)).Msg("limits not set")
	}
}

func inOneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// outputFolders returns where an output file is made anew when it was renamed:
// its folder, as it is named and as links lead there. A device or a pipe is
// opened as it is. A file itself must not be named to the kernel, which would
// hold on to it after it was removed.
func outputFolders(path string) []string {
	if path == "" || path == "-" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return []string{path}
	}
	return foldersOf(path)
}

// foldersOf returns the folders of files, as they are named and as links lead
// there: what the kernel must leave open for a file to be read, or made, anew
// once it was replaced. Of no path there is none.
func foldersOf(paths ...string) []string {
	var folders []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		folders = append(folders, filepath.Dir(path))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	return folders
}

// resolverFiles returns what is read to look up the names of syslog servers, at
// each connection; nothing where all are addresses. The folders, because what
// configures a resolver replaces the files.
func resolverFiles(targets []alert.Target) []string {
	named := func(t alert.Target) bool {
		_, err := netip.ParseAddr(t.Host())
		return t.Host() != "" && err != nil
	}
	if !slices.ContainsFunc(targets, named) {
		return nil
	}
	return foldersOf("/etc/resolv.conf")
}
