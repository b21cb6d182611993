package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edgescan/quant/onnx"
)

func newModel() *cobra.Command {
	model := &cobra.Command{
		Use:     "model",
		Short:   "Look into a model file, or export it",
		Example: "  edgescan model info\n  edgescan model export --onnx edgescan.onnx",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	model.AddCommand(newModelInfo(), newModelExport())
	return model
}

func newModelInfo() *cobra.Command {
	var path string
	var flows bool
	cmd := &cobra.Command{
		Use:     "info",
		Short:   "Print layers, shapes, multiply-adds, bytes and provenance",
		Example: "  edgescan model info\n  edgescan model info --flows\n  edgescan model info --model my.esq",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := loadNetwork(path, flows)
			if err != nil {
				return err
			}
			return n.Info(cmd.OutOrStdout())
		},
	}
	addModelFlags(cmd.Flags(), &path, &flows)
	return cmd
}

// addModelFlags adds the flags that say which model is meant.
func addModelFlags(flags *pflag.FlagSet, path *string, flows *bool) {
	flags.StringVar(path, "model", "", "model file (default: the built-in one)")
	flags.BoolVar(flows, "flows", false, "the built-in model for flows in place of that for packets")
}

// onnxForms are the forms of an ONNX model by what --form calls them.
var onnxForms = map[string]onnx.Form{"uint8": onnx.Unsigned, "int8": onnx.Signed, "exact": onnx.Exact}

func newModelExport() *cobra.Command {
	var path, out, form string
	var flows bool
	cmd := &cobra.Command{
		Use:   "export --onnx FILE",
		Short: "Write the network as a quantized ONNX model",
		Long: `Write the network as a quantized ONNX model (opset 13), to run it elsewhere.

Its input "map" is uint8 [N, height, width, channels], the bytes of N maps; its
output "logits" is int32 [N, classes] in 1/256 nat. The metadata names the
classes, the featurizer and the threshold.

The forms are:
  uint8  weights as uint8 with zero point 128: right on every processor
  int8   weights as int8 with zero point 0, which accelerators expect and which
         is faster; but onnxruntime saturates on x86-64 processors without VNNI
  exact  integer operators only, slow: the very logits of edgescan, to check
         against; in the other forms an activation may, seldom, be one off`,
		Example: "  edgescan model export --onnx edgescan.onnx\n  edgescan model export --onnx my.onnx --model my.esq --form int8",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return exportModel(path, flows, out, form) },
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "onnx", "", "ONNX file to write")
	addModelFlags(flags, &path, &flows)
	flags.StringVar(&form, "form", "uint8", "uint8, int8 or exact")
	return cmd
}

func exportModel(path string, flows bool, out, form string) error {
	if out == "" {
		return usageError{errors.New("give a file to write (--onnx), see 'edgescan model export --help'")}
	}
	f, ok := onnxForms[form]
	if !ok {
		return usageError{fmt.Errorf("--form %s: no such form, must be uint8, int8 or exact", form)}
	}
	n, err := loadNetwork(path, flows)
	if err != nil {
		return err
	}
	return writeFile(out, func(w io.Writer) error { return onnx.Write(w, n, f) })
}
