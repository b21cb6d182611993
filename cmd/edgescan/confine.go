package main

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"

	"edgescan/internal/alert"
	"edgescan/internal/confine"
)

// runUser returns whom a run on interfaces becomes.
func runUser(f *runFlags) (confine.User, error) {
	if f.user != "" && len(f.interfaces) == 0 {
		return confine.User{}, errors.New("--user goes with interfaces (-i): files are opened one after the other, by whoever calls")
	}
	user, err := confine.LookupUser(f.user)
	if err != nil {
		return user, err
	}
	if f.user != "" && os.Geteuid() != 0 && os.Geteuid() != user.UID {
		return user, errors.New("only root can become another user")
	}
	return user, nil
}

// confineLive gives up what watching does not need, once interfaces, JSON file
// and model are open, and says so in one line. What the kernel refuses to
// take does not keep the program from watching, unless it is a user that was
// asked for.
func confineLive(log zerolog.Logger, f *runFlags, user confine.User) error {
	err := confine.Drop(user)
	if err != nil && f.user != "" && os.Geteuid() != user.UID {
		return err
	}
	access := confine.Access{
		Read:  append(append(resolverFiles(f.syslog), f.wordFlags.folders()...), "/proc/self"), // the summary tells the memory used
		Write: outputFolders(f.json),
	}
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
func confineFiles(log zerolog.Logger, output string) {
	err := confine.Restrict(confine.Access{ReadAll: true, Write: outputFolders(output)})
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
	paths := []string{filepath.Dir(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		paths = append(paths, filepath.Dir(real))
	}
	return paths
}

// resolverFiles returns what is read to look up the name of a syslog server,
// at each alert; nothing where it is an address. The folders, because what
// configures a resolver replaces the files.
func resolverFiles(syslog string) []string {
	target, err := alert.ParseTarget(syslog)
	if syslog == "" || err != nil || target.Network != "udp" {
		return nil
	}
	host, _, _ := net.SplitHostPort(target.Address)
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	paths := []string{"/etc"}
	if real, err := filepath.EvalSymlinks("/etc/resolv.conf"); err == nil {
		paths = append(paths, filepath.Dir(real))
	}
	return paths
}
