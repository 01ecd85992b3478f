// Opens an exported file under onnxruntime-web (wasm, one thread) and compares what it computes with what Java wrote:
//   node check.mjs FILE.onnx CASE.json
// The case says inputs, each with type, dims and data, the name of the output, and the values expected of it. Prints the
// largest difference as a share of the largest value expected.
import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';

const [file, caseFile] = process.argv.slice(2);
const { inputs, output, expected } = JSON.parse(await readFile(caseFile, 'utf8'));

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(new Uint8Array(await readFile(file)), { executionProviders: ['wasm'] });
const feeds = {};
for (const [name, { type, dims, data }] of Object.entries(inputs)) {
  feeds[name] = new ort.Tensor(type, type === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data), dims);
}
const values = (await session.run(feeds))[output].data;
if (values.length !== expected.length) {
  throw new Error(`${output} has ${values.length} values, expected ${expected.length}`);
}
let difference = 0;
let largest = 0;
expected.forEach((value, i) => {
  difference = Math.max(difference, Math.abs(values[i] - value));
  largest = Math.max(largest, Math.abs(value));
});
console.log(difference / largest);
