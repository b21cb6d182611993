// Package onnx writes a network as an ONNX model, for other runtimes and
// accelerators.
//
// In goes a quant.Network, out come the bytes of a ModelProto (ONNX 1.8: opset
// 13, standard operators only), the same for the same network. The model has
// one input and one output:
//
//	map     uint8 [N, height, width, channels]  the bytes that Network.Run takes
//	logits  int32 [N, classes]                  in 1/256 nat, as Network.Run gives
//
// N is free. What the featurizer, the classes and the threshold are is in the
// model's metadata. Softmax over logits/256 gives the probabilities of the
// classes, and one less the first is the scan score to hold against the
// threshold.
//
// Inside, maps are [N, channels, height, width] as ONNX wants them, and a dense
// layer is a convolution whose kernel is as large as its input. Every activation
// has scale 1 and zero point 0: the multipliers of the network are the scales of
// its weights. The last layer is computed in integers, exactly.
//
// The package never reads a model, and knows no more of protobuf than it writes.
package onnx

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"edgescan/quant"
)

// Form is how the model computes what all layers but the last do.
type Form int

// The forms. The first two are what runtimes and accelerators know: a
// QLinearConv for each layer, which multiplies in float32. There an accumulator
// next to a half may be rounded to its other side, so that an activation is one
// off: 1 accumulator in 200 000 of the shipped network, see
// TestFloat32RoundsOneOffAtMost. It seldom reaches a logit.
const (
	// Unsigned has the weights as uint8 with zero point 128, which is right on
	// every processor.
	Unsigned Form = iota

	// Signed has the weights as int8 with zero point 0: what accelerators expect,
	// and faster with onnxruntime. But on x86-64 processors without VNNI its
	// kernels for signed weights add pairs of products in 16 bits, which saturate
	// where activations and weights are large. On an emulated one, 0.1% to 3% of
	// the maps of traffic, depending on the network, gave other logits, by up to
	// 1.2 nats.
	Signed

	// Exact computes with integers only (ConvInteger and 64-bit arithmetic) and
	// gives the very logits of Network.Run on any runtime that keeps to the
	// standard. It is slow, and there to check against.
	Exact
)

// Versions of what is written: IR 7 and opset 13 came with ONNX 1.8.
const (
	irVersion = 7
	opset     = 13
)

// Names of the model's input and output.
const (
	inputName  = "map"
	outputName = "logits"
)

// description is the documentation inside of the model.
const description = "Network scan detector. Input: maps as unsigned bytes, height x width x channels. " +
	"Output: logits in 1/256 nat; class 0 is benign."

// Write writes n to w in the form given. Errors are those of w.
func Write(w io.Writer, n *quant.Network, f Form) error {
	properties, err := metadata(n)
	if err != nil {
		return err
	}
	_, err = w.Write(encodeModel(encodeNetwork(n, f), properties))
	return err
}

// encodeModel returns the ModelProto of a GraphProto and of properties, names and
// values.
func encodeModel(graph []byte, properties [][2]string) []byte {
	var model, version message
	model.integer(modelIRVersion, irVersion)
	model.text(modelProducer, "edgescan")
	model.text(modelDoc, description)
	model.bytes(modelGraph, graph)
	version.integer(opsetVersion, opset)
	model.bytes(modelOpset, version)
	for _, p := range properties {
		var entry message
		entry.text(entryKey, p[0])
		entry.text(entryValue, p[1])
		model.bytes(modelMetadata, entry)
	}
	return model
}

// metadata returns what a program needs to know to use n, by name.
func metadata(n *quant.Network) ([][2]string, error) {
	meta := n.Meta()
	classes, err := json.Marshal(meta.Classes)
	if err != nil {
		return nil, fmt.Errorf("class names: %w", err)
	}
	return [][2]string{
		{"featurizer", meta.Featurizer},
		{"classes", string(classes)},
		{"threshold", strconv.FormatFloat(float64(meta.Threshold)/quant.One, 'g', -1, 64)},
		{"seed", strconv.FormatInt(meta.Provenance.Seed, 10)},
		{"data", meta.Provenance.Data},
	}, nil
}
