package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
)

// checkpointName is the file in the checkpoint directory.
const checkpointName = "training.checkpoint"

// checkpointFile is the file of a training under way. The body holds the
// variables in order and then, if there is one, the best network so far.
//
// GoMLX's own checkpoints would do for the variables, but reading one makes the
// state of the random source trainable, which makes dropout diverge.
var checkpointFile = container{magic: "esqtrain"}

// checkpointHeader is the JSON header of a checkpoint.
type checkpointHeader struct {
	Training  string           `json:"training"` // fingerprint of configuration and data
	State     state            `json:"state"`
	Variables []variableHeader `json:"variables"`
	HasBest   bool             `json:"has_best"`
}

// variableHeader describes a GoMLX variable.
type variableHeader struct {
	Scope     string `json:"scope"`
	Name      string `json:"name"`
	DType     string `json:"dtype"`
	Dims      []int  `json:"dims"`
	Trainable bool   `json:"trainable"`
}

// fingerprint identifies a training: everything that has an influence on it.
func fingerprint(cfg Config, sets ...*Dataset) (string, error) {
	config, err := json.Marshal(cfg)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(config)
	for _, d := range sets {
		for _, values := range []any{int64(d.Len()), d.cells, d.labels, d.weights} {
			if err := binary.Write(h, binary.LittleEndian, values); err != nil {
				return "", err
			}
		}
		for _, end := range d.ends {
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(end)))
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// save writes the checkpoint, if there is a directory for it. The file is
// replaced at once: a crash leaves the old one or the new one.
func (t *trainer) save() error {
	if t.cfg.CheckpointDir == "" {
		return nil
	}
	header := checkpointHeader{Training: t.fingerprint, State: t.state, HasBest: t.best != nil}
	var body []byte
	var err error
	for v := range t.variables.IterVariables() {
		shape := v.Shape()
		header.Variables = append(header.Variables,
			variableHeader{v.Scope(), v.Name(), shape.DType.String(), shape.Dimensions, v.Trainable})
		if body, err = appendVariable(body, v); err != nil {
			return fmt.Errorf("save variable %s: %w", v.ScopeAndName(), err)
		}
	}
	if t.best != nil {
		body = t.best.appendBody(body)
	}
	var file bytes.Buffer
	if _, err := checkpointFile.write(&file, header, body); err != nil {
		return err
	}
	return replaceFile(t.checkpointPath(), file.Bytes())
}

func (t *trainer) checkpointPath() string { return filepath.Join(t.cfg.CheckpointDir, checkpointName) }

// replaceFile writes a file under another name and renames it.
func replaceFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing left to remove
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// removeCheckpoint removes the checkpoint of a finished training.
func (t *trainer) removeCheckpoint() error {
	if t.cfg.CheckpointDir == "" {
		return nil
	}
	err := os.Remove(t.checkpointPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// restore goes back to the checkpoint, if there is one.
func (t *trainer) restore() error {
	if t.cfg.CheckpointDir == "" {
		return nil
	}
	f, err := os.Open(t.checkpointPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var header checkpointHeader
	body, err := checkpointFile.read(f, &header)
	if err != nil {
		return err
	}
	if header.Training != t.fingerprint {
		return ErrCheckpoint
	}
	t.variables = mlcontext.New()
	for _, v := range header.Variables {
		if body, err = restoreVariable(t.variables, v, body); err != nil {
			return fmt.Errorf("%w: variable %s of %s: %w", ErrDamaged, v.Name, v.Scope, err)
		}
	}
	if header.HasBest {
		t.best = &Float{Arch: t.cfg.Arch, Temperature: 1}
		if err := t.best.setBody(body); err != nil {
			return fmt.Errorf("%w: best network: %w", ErrDamaged, err)
		}
	}
	t.state, t.resumed = header.State, true
	return nil
}

// appendVariable appends the value of a variable, little endian.
func appendVariable(body []byte, v *mlcontext.Variable) ([]byte, error) {
	value, err := v.Value()
	if err != nil {
		return nil, err
	}
	var encodeErr error
	err = value.ConstFlatData(func(flat any) {
		body, encodeErr = binary.Append(body, binary.LittleEndian, flat)
	})
	return body, errors.Join(err, encodeErr)
}

// restoreVariable creates a variable with the value at the start of body and
// returns what is left of body.
func restoreVariable(ctx *mlcontext.Context, h variableHeader, body []byte) ([]byte, error) {
	dtype, err := dtypes.DTypeString(h.DType)
	if err != nil {
		return nil, err
	}
	value := tensors.FromShape(shapes.Make(dtype, h.Dims...))
	size := 0
	var decodeErr error
	err = value.MutableFlatData(func(flat any) {
		size, decodeErr = binary.Decode(body, binary.LittleEndian, flat)
	})
	if err := errors.Join(err, decodeErr); err != nil {
		return nil, err
	}
	ctx.InAbsPath(h.Scope).VariableWithValue(h.Name, value).SetTrainable(h.Trainable)
	return body[size:], nil
}
