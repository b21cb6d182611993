// Runs an ONNX model on maps with onnxruntime, on one thread.
//
//   node onnxruntime.cjs run MODEL HEIGHTxWIDTHxCHANNELS MAPS BATCH LOGITS
//   node onnxruntime.cjs time MODEL HEIGHTxWIDTHxCHANNELS MAPS BATCH RUNS
//
// MAPS holds maps one after the other, a byte a cell; they are given to the model
// BATCH at a time. run writes the logits of all as little-endian int32. time runs
// the model RUNS times, over and over MAPS, and prints the nanoseconds of that.
"use strict";

const fs = require("fs");
const ort = require("onnxruntime-node");

const warmUp = 50;

async function main([command, model, shape, path, batchSize, last]) {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const batches = read(path, shape.split("x").map(Number), Number(batchSize));
  if (command === "run") {
    const parts = [];
    for (const batch of batches) {
      const logits = (await session.run(batch)).logits.data;
      parts.push(Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength));
    }
    fs.writeFileSync(last, Buffer.concat(parts));
    return;
  }
  await repeat(session, batches, warmUp);
  const start = process.hrtime.bigint();
  await repeat(session, batches, Number(last));
  console.log(String(process.hrtime.bigint() - start));
}

// read returns the maps of a file, a tensor for each batch.
function read(path, dims, batchSize) {
  const maps = new Uint8Array(fs.readFileSync(path));
  const size = dims.reduce((a, b) => a * b);
  const batches = [];
  for (let at = 0; at < maps.length; at += size * batchSize) {
    const cells = maps.subarray(at, at + size * batchSize);
    batches.push({ map: new ort.Tensor("uint8", cells, [cells.length / size, ...dims]) });
  }
  return batches;
}

async function repeat(session, batches, runs) {
  for (let i = 0; i < runs; i++) {
    await session.run(batches[i % batches.length]);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
