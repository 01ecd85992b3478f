/** Events out: the JSONL and TensorBoard logs of a run, its provenance, and the comparison as JSON, text table and one HTML page. */
package dev.retort.report;
