package onnx

import (
	"encoding/binary"
	"fmt"
)

// graph is a GraphProto under construction. Nodes must be added in an order in
// which they can run.
type graph struct {
	nodes        message // fields of type graphNode
	initializers message // fields of type graphInitializer
}

// attribute is one setting of an operator: an int64 or a []int64.
type attribute struct {
	name  string
	value any
}

// node adds an operator of so many inputs and one output, after which it is
// named, and returns that name.
func (g *graph) node(operator, output string, inputs []string, attributes ...attribute) string {
	var n message
	for _, in := range inputs {
		n.text(nodeInput, in)
	}
	n.text(nodeOutput, output)
	n.text(nodeName, output)
	n.text(nodeOperator, operator)
	for _, a := range attributes {
		n.bytes(nodeAttribute, a.encode())
	}
	g.nodes.bytes(graphNode, n)
	return output
}

// encode returns the AttributeProto.
func (a attribute) encode() []byte {
	var m message
	m.text(attributeName, a.name)
	switch v := a.value.(type) {
	case int64:
		m.integer(attributeInteger, v)
		m.integer(attributeType, attributeIsInteger)
	case []int64:
		for _, e := range v {
			m.integer(attributeList, e)
		}
		m.integer(attributeType, attributeIsList)
	}
	return m
}

// element is what a tensor may hold.
type element interface {
	uint8 | int8 | int32 | int64 | float32
}

// constant adds a tensor of the shape dims, none for a scalar, and returns its
// name.
func constant[T element](g *graph, name string, values []T, dims ...int) string {
	var m message
	for _, d := range dims {
		m.integer(tensorDim, int64(d))
	}
	m.integer(tensorType, elementType[T]())
	m.text(tensorName, name)
	raw, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(fmt.Sprintf("values of a fixed size: %v", err)) // cannot be: element has only such
	}
	m.bytes(tensorRaw, raw)
	g.initializers.bytes(graphInitializer, m)
	return name
}

// elementType returns the TensorProto.DataType of T.
func elementType[T element]() int64 {
	switch any(*new(T)).(type) {
	case float32:
		return typeFloat32
	case uint8:
		return typeUint8
	case int8:
		return typeInt8
	case int32:
		return typeInt32
	default:
		return typeInt64
	}
}

// encode returns the GraphProto with the model's input and output, both of any
// number of maps.
func (g *graph) encode(input, output []byte) []byte {
	var m message
	m = append(m, g.nodes...)
	m.text(graphName, "edgescan")
	m = append(m, g.initializers...)
	m.bytes(graphInput, input)
	m.bytes(graphOutput, output)
	return m
}

// value returns the ValueInfoProto of a tensor [N, dims...].
func value(name string, elementType int64, dims ...int) []byte {
	var shape, dim message
	dim.text(dimParameter, "N")
	shape.bytes(shapeDim, dim)
	for _, d := range dims {
		dim = nil
		dim.integer(dimValue, int64(d))
		shape.bytes(shapeDim, dim)
	}
	var tensor, kind, v message
	tensor.integer(tensorTypeElement, elementType)
	tensor.bytes(tensorTypeShape, shape)
	kind.bytes(typeTensor, tensor)
	v.text(valueName, name)
	v.bytes(valueType, kind)
	return v
}
