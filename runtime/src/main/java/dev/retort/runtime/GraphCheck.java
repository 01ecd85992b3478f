package dev.retort.runtime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import dev.retort.diffusion.Plan;
import dev.retort.text.ClipTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether a graph is what its file's metadata says: what would otherwise fail at the first request. */
final class GraphCheck {
    private static final Set<String> NETWORK_INPUTS =
            Set.of("x", "row", "time", "label", "tokens", "guidance", "end_time");
    private static final Set<String> WHOLE = Set.of("label", "row", "tokens");
    private static final long ANY = -1;

    private final LoadedModel model;
    private final StudentFile file;
    private final boolean network;

    private GraphCheck(LoadedModel model) {
        this.model = model;
        file = model.file();
        network = file.form() == StudentFile.Form.NETWORK;
    }

    /** @throws StudentException of kind BAD_FILE */
    static void of(LoadedModel model) {
        GraphCheck check = new GraphCheck(model);
        model.inputs().forEach(check::requireInput);
        check.requireForm();
        check.requireOutput();
    }

    private void requireInput(String name, TensorInfo input) {
        boolean noise = name.equals("noise") || name.matches("noise\\.\\d+");
        if (!(network ? NETWORK_INPUTS.contains(name) : noise || name.equals("label") || name.equals("tokens"))) {
            throw model.damaged("it has an input " + name + " that this runtime does not know");
        }
        if (input.type != (isWhole(name) ? OnnxJavaType.INT64 : OnnxJavaType.FLOAT)) {
            throw model.damaged("its input " + name + " is of " + input.type);
        }
        Shape values = file.values();
        long[] expected = noise || name.equals("x")
                ? new long[] {ANY, values.channels(), values.height(), values.width()}
                : name.equals("tokens") ? tokens() : new long[] {ANY};
        if (!Arrays.equals(input.getShape(), expected)) {
            throw model.damaged("its input " + name + " is " + Arrays.toString(input.getShape()) + ", expected "
                    + Arrays.toString(expected) + " (" + ANY + ": any number of samples)");
        }
    }

    /** Whether an input is of 64-bit integers; all others are of floats. */
    static boolean isWhole(String input) {
        return WHOLE.contains(input);
    }

    private long[] tokens() {
        List<ClipTokenizer> tokenizers = file.texts().tokenizers();
        int length = tokenizers.isEmpty() ? 0 : tokenizers.get(0).length();
        if (tokenizers.stream().anyMatch(one -> one.length() != length)) {
            throw model.damaged("its tokenizers make texts of different lengths");
        }
        return new long[] {ANY, tokenizers.size(), length};
    }

    private void requireForm() {
        Map<String, TensorInfo> inputs = model.inputs();
        if (!inputs.containsKey(network ? "x" : "noise")
                || inputs.containsKey("row") == (file.table() == FoldedTable.NONE)) {
            throw model.damaged("it has the inputs " + inputs.keySet() + ", which are not those of its form");
        }
        if (file.classes().isEmpty() && (inputs.containsKey("label") || inputs.containsKey("row"))) {
            throw model.damaged("it has no retort.classes, and is told one");
        }
        if (file.texts().taken() && !inputs.containsKey("tokens")) {
            throw model.damaged("it has a tokenizer and is told no tokens");
        }
    }

    private void requireOutput() {
        TensorInfo output = model.output();
        long[] shape = output.getShape();
        if (output.type != OnnxJavaType.FLOAT
                || shape.length != 4
                || shape[0] != ANY
                || shape[1] < 1
                || shape[2] < 1
                || shape[3] < 1) {
            throw model.damaged("its output is " + output + ", expected numbers (N, C, H, W) of any N");
        }
        for (GuidedPlan plan : file.plans().values()) {
            long least = (long) plan.heads() * file.values().channels();
            if (shape[1] < Math.max(least, plan.channels())
                    || shape[2] != file.values().height()
                    || shape[3] != file.values().width()) {
                throw model.damaged("its output is " + Arrays.toString(shape) + " where its plan reads " + plan.heads()
                        + " heads of " + file.values());
            }
            requireRows(plan);
        }
        if (model.pictures().channels() != 1 && model.pictures().channels() != 3) {
            throw model.damaged("it draws " + model.pictures().channels() + " channels, expected 1 or 3 of a picture");
        }
    }

    private void requireRows(GuidedPlan guided) {
        if (file.table() == FoldedTable.NONE) {
            return;
        }
        for (int step = 0; step < guided.scales().size(); step++) {
            Plan.Call call = guided.plan().steps().get(step).call();
            try {
                file.labels().forEach(label -> file.table().row(call, label));
                if (guided.asksTwice(step)) {
                    file.table().row(call, file.noClass());
                }
            } catch (IllegalArgumentException e) {
                throw model.damaged(e.getMessage());
            }
        }
    }
}
