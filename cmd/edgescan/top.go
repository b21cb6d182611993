//go:build !device

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"edgescan/internal/top"
)

// topFlags say which edgescan is shown, and how.
type topFlags struct {
	url   string
	token string
	ascii bool
}

func newTop() *cobra.Command {
	f := &topFlags{}
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show a running edgescan in a terminal: the page of run --web",
		Example: `  edgescan top                             that on this machine
  ssh -NL 8469:127.0.0.1:8469 router &     that on a router,
  edgescan top                             by a tunnel
  edgescan top --url http://192.168.1.1:8469 --token token.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "http://127.0.0.1:8469", "where the page is")
	flags.StringVar(&f.token, "token", "", "file with the token of --web-token, if the page asks for one")
	flags.BoolVar(&f.ascii, "ascii", false, "draw with letters that every terminal has (default: where the locale has no UTF-8)")
	return cmd
}

func (f *topFlags) run(ctx context.Context) error {
	if u, err := url.Parse(f.url); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usageError{fmt.Errorf("--url %s: want an address as http://127.0.0.1:8469", f.url)}
	}
	token, err := readToken(f.token)
	if err != nil {
		return usageError{fmt.Errorf("--token: %w", err)}
	}
	if !isTerminal(os.Stdout) || !isTerminal(os.Stdin) {
		return usageError{errors.New("top needs a terminal; for programs there is /state of the page, as JSON")}
	}
	ascii := f.ascii || !speaksUTF8(os.Getenv)
	err = top.Run(ctx, &top.Client{URL: f.url, Token: token}, top.Options{ASCII: ascii})
	if err != nil {
		return fmt.Errorf("%s: %w (is 'edgescan run --web' there?)", f.url, err)
	}
	return nil
}
