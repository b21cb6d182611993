package onnx

import "encoding/binary"

// Field numbers of the messages in onnx.proto.
const (
	modelIRVersion = 1
	modelProducer  = 2
	modelDoc       = 6
	modelGraph     = 7
	modelOpset     = 8
	modelMetadata  = 14

	opsetVersion = 2

	entryKey   = 1
	entryValue = 2

	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12

	nodeInput     = 1
	nodeOutput    = 2
	nodeName      = 3
	nodeOperator  = 4
	nodeAttribute = 5

	attributeName    = 1
	attributeInteger = 3
	attributeList    = 8
	attributeType    = 20

	tensorDim  = 1
	tensorType = 2
	tensorName = 8
	tensorRaw  = 9

	valueName  = 1
	valueType  = 2
	typeTensor = 1

	tensorTypeElement = 1
	tensorTypeShape   = 2
	shapeDim          = 1
	dimValue          = 1
	dimParameter      = 2
)

// Values of the enumerations in onnx.proto: AttributeProto.AttributeType and
// TensorProto.DataType.
const (
	attributeIsInteger = 2
	attributeIsList    = 7

	typeFloat32 = 1
	typeUint8   = 2
	typeInt8    = 3
	typeInt32   = 6
	typeInt64   = 7
)

// Wire types of protobuf.
const (
	wireVarint = 0
	wireBytes  = 2
)

// message is a protobuf message under construction: fields in the order in
// which they are added. Repeated fields are not packed, as onnx.proto has it.
type message []byte

// integer adds an int64 or enumeration.
func (m *message) integer(field int, v int64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|wireVarint)
	*m = binary.AppendUvarint(*m, uint64(v))
}

// bytes adds bytes or a message.
func (m *message) bytes(field int, b []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|wireBytes)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

// text adds a string.
func (m *message) text(field int, s string) { m.bytes(field, []byte(s)) }
