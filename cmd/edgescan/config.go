package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edgescan/internal/alert"
	"edgescan/internal/config"
)

// defaultConfig is the file that 'edgescan run' reads where nothing says what to
// watch.
const defaultConfig = "/etc/edgescan/edgescan.yaml"

// configVariable is the variable that --config has.
const configVariable = config.Prefix + "CONFIG"

// valueChecks say of single values of flags what is wrong with them, so that a
// configuration file's error has the line. What a flag's own type refuses, and
// what run's check does, need not be here.
var valueChecks = map[string]func(text string) error{
	"syslog": func(text string) error {
		if text == "" {
			return nil
		}
		_, err := alert.ParseTarget(text)
		return err
	},
}

// configuration is where the values of run's flags come from.
type configuration struct {
	path     string // of the file; empty: none
	keys     []config.Key
	line     config.Values // the command line's
	settings config.Settings
	strays   []string // what to warn of
}

// addConfigFlag adds --config.
func addConfigFlag(flags *pflag.FlagSet) {
	flags.String("config", "", "read settings from this file (see 'edgescan config init'); flags and EDGESCAN_ variables go before it (default "+defaultConfig+", if it exists and neither -i nor -r is given)")
}

// configured sets the flags that the command line leaves out from environment
// and file, and returns where all come from. Its errors are those of the command
// line.
func (f *runFlags) configured(flags *pflag.FlagSet) error {
	c := &configuration{keys: configKeys(), line: config.Values{}}
	flags.Visit(func(flag *pflag.Flag) {
		c.line[flag.Name] = config.Value{Texts: flagTexts(flag), From: "--" + flag.Name}
	})
	path, err := configPath(flags)
	if err != nil {
		return usageError{err}
	}
	c.path = path
	if c.settings, err = c.read(); err != nil {
		return usageError{err}
	}
	if err := applySettings(flags, c.keys, c.settings); err != nil {
		return usageError{err}
	}
	f.config = c
	return nil
}

// configPath returns the file that the command line asks for, empty for none.
func configPath(flags *pflag.FlagSet) (string, error) {
	path, err := flags.GetString("config")
	if err != nil || path != "" || flags.Changed("config") {
		return path, err
	}
	if path = os.Getenv(configVariable); path != "" {
		return path, nil
	}
	if slices.ContainsFunc(inputNames, flags.Changed) {
		return "", nil
	}
	_, err = os.Stat(defaultConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return defaultConfig, nil
}

// read reads environment and file, and returns all settings.
func (c *configuration) read() (config.Settings, error) {
	environment, strays, err := config.Environment(os.Environ(), c.keys)
	if err != nil {
		return nil, err
	}
	c.strays = slices.DeleteFunc(strays, func(s string) bool { return strings.HasPrefix(s, configVariable+" ") })
	var file config.Values
	if c.path != "" {
		if file, err = readConfig(c.path, c.keys); err != nil {
			return nil, err
		}
	}
	return config.Merge(c.keys, c.line, environment, file), nil
}

// readConfig reads a file.
func readConfig(path string, keys []config.Key) (config.Values, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer file.Close()
	return config.Parse(file, path, keys)
}

// warn tells what looks like a mistake and is none for sure.
func (c *configuration) warn(log zerolog.Logger) {
	for _, stray := range c.strays {
		log.Warn().Msg(stray)
	}
}

// flagName finds what an error of the command line says of flags.
var flagName = regexp.MustCompile(`(?:^|\s)--([a-z][a-z0-9-]*)`)

// explain adds to an error that names flags where their values come from, if it
// is not the command line.
func (c *configuration) explain(err error) error {
	var usage usageError
	if !errors.As(err, &usage) {
		return err
	}
	var from []string
	for _, match := range flagName.FindAllStringSubmatch(err.Error(), -1) {
		value, ok := c.settings[match[1]]
		if !ok || value.From == config.Default || strings.HasPrefix(value.From, "--") {
			continue
		}
		if place := fmt.Sprintf("%s is from %s", match[1], value.From); !slices.Contains(from, place) {
			from = append(from, place)
		}
	}
	if len(from) == 0 {
		return err
	}
	return usageError{fmt.Errorf("%w (%s)", err, strings.Join(from, ", "))}
}

// configKeys returns the keys of a configuration: all flags of run that say how
// it runs.
func configKeys() []config.Key {
	var keys []config.Key
	flags := newRun().Flags()
	flags.SortFlags = false // what is needed most is first
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "config" || flag.Name == "help" || flag.Hidden || flag.Deprecated != "" {
			return
		}
		keys = append(keys, configKey(flag))
	})
	return keys
}

// configKey returns the key of a flag, which may be set for trial.
func configKey(flag *pflag.Flag) config.Key {
	key := config.Key{Name: flag.Name, Default: flagTexts(flag), Help: flag.Usage}
	_, key.List = flag.Value.(pflag.SliceValue)
	switch flag.Value.Type() {
	case "bool":
		key.Kind = config.Bool
	case "int", "int32", "int64", "uint", "uint16", "uint32", "uint64", "float32", "float64":
		key.Kind = config.Number
	}
	key.Check = func(text string) error {
		if !key.List {
			if err := trySet(flag.Value, text); err != nil {
				return err
			}
		}
		if check := valueChecks[flag.Name]; check != nil {
			return check(text)
		}
		return nil
	}
	if slices.Contains(inputNames, flag.Name) {
		key.Group = "what is watched"
	}
	if isLive(flag.Name) {
		key.Note = "SIGHUP is enough for a change."
	}
	return key
}

// trySet sets a value, and returns what is wrong with the text without the text.
func trySet(value pflag.Value, text string) error {
	err := value.Set(text)
	var number *strconv.NumError
	if errors.As(err, &number) {
		return number.Err
	}
	return err
}

// flagTexts returns the value of a flag as texts to set it to.
func flagTexts(flag *pflag.Flag) []string {
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{flag.Value.String()}
}

// applySettings sets flags to what settings say, and leaves alone those that
// have this value: to give a flag its default is to leave it out.
func applySettings(flags *pflag.FlagSet, keys []config.Key, settings config.Settings) error {
	for i := range keys {
		flag, value := flags.Lookup(keys[i].Name), settings[keys[i].Name]
		if slices.Equal(flagTexts(flag), value.Texts) {
			continue
		}
		list, ok := flag.Value.(pflag.SliceValue)
		if !ok {
			if err := flags.Set(flag.Name, value.Texts[0]); err != nil {
				return fmt.Errorf("%s: %w", value.From, err)
			}
			continue
		}
		if err := list.Replace(value.Texts); err != nil {
			return fmt.Errorf("%s: %w", value.From, err)
		}
		flag.Changed = true
	}
	return nil
}

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Make or check the configuration file of run",
		Example: "  edgescan config init --out " + defaultConfig + "\n  edgescan config check",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigInit(), newConfigCheck())
	return cmd
}

func newConfigInit() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a configuration file that explains all settings and changes none",
		Example: `  edgescan config init                              to look at
  edgescan config init --out ` + defaultConfig,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return initConfig(out) },
	}
	cmd.Flags().StringVar(&out, "out", "-", "file to write, which must not exist; - for standard output")
	return cmd
}

// referenceHead is what the file begins with.
const referenceHead = `Settings of 'edgescan run'. Take the # off a line to change its setting; the values are the defaults. Flags and variables of the environment go before this file.

After a change, 'edgescan config check FILE' tells what is wrong with it, and SIGHUP has a running edgescan read it anew. What that cannot change needs a restart, as the log tells.`

// initConfig writes the reference file. It replaces none: somebody may have
// changed it.
func initConfig(out string) error {
	if out == "-" {
		return config.Reference(os.Stdout, referenceHead, configKeys())
	}
	if _, err := os.Lstat(out); err == nil {
		return usageError{fmt.Errorf("%s exists and is left as it is: give another --out, or remove it", out)}
	}
	return writeFile(out, func(w io.Writer) error { return config.Reference(w, referenceHead, configKeys()) })
}

func newConfigCheck() *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with a configuration file, as run would",
		Example: `  edgescan config check                 ` + defaultConfig + `
  edgescan config check a.yaml --show   the settings, and where each comes from`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("want one file, not also %q", args[1])}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			path := os.Getenv(configVariable)
			if path == "" {
				path = defaultConfig
			}
			if len(args) > 0 {
				path = args[0]
			}
			return checkConfig(path, show)
		},
	}
	cmd.Flags().BoolVar(&show, "show", false, "write the settings that count, and where each comes from: file and line, variable, or default")
	return cmd
}

// checkConfig checks what 'edgescan run --config path' would run with.
func checkConfig(path string, show bool) error {
	f := newRunFlags()
	flags := f.command().Flags()
	if err := flags.Set("config", path); err != nil {
		return err
	}
	flags.Lookup("config").Changed = true
	if err := f.configured(flags); err != nil {
		return err
	}
	f.config.warn(newLogger())
	if err := f.config.explain(f.checkAll()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if show {
		return config.Show(os.Stdout, f.config.keys, f.config.settings)
	}
	_, err := fmt.Println(path, "is right")
	return err
}

// checkAll checks all that can be known without to open anything for good.
func (f *runFlags) checkAll() error {
	if err := f.check(); err != nil {
		return err
	}
	if _, err := runUser(f); err != nil && !errors.Is(err, errNotRoot) {
		return usageError{fmt.Errorf("--user %s: %w", f.user, err)}
	}
	if _, _, err := openModel(f.model, f.ofFlows()); err != nil {
		return usageError{fmt.Errorf("--model: %w", err)}
	}
	return nil
}
