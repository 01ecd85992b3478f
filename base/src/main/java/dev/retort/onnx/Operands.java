package dev.retort.onnx;

/** Operands of a node by their names in the file; a weight becomes a tensor of the file in the form that is asked for first. */
interface Operands {
    /** The operand in its own shape. */
    String get(int index);

    /** The operand in another shape of as many values, where that is a weight without a copy of its values in the file. */
    String as(int index, long... dims);
}
