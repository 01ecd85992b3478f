package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.model.LayerMap;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Cuts a student out of a teacher by depth and width. Blocks are kept by the uniform layer map. Of the residual stream the
 * channels with the largest joint norm of what is written into them are kept, of each block the attention heads and MLP
 * units with the largest norm of what they write. Heads keep their width, so the student's must be the same. Patch
 * embedding and output layer are cut too where the patch is the same, and stay as initialised where it differs, as does the embedder
 * of a number that the teacher is not told: it begins at zero. Of a student with several heads each begins as the teacher's, or as that one of
 * them which speaks of the same part of the way.
 */
public final class Cut {
    private final DitSpec from;
    private final DitSpec to;
    private final Map<String, Tensor> source;
    private final Map<String, Tensor> cut = new LinkedHashMap<>();

    private Cut(DitSpec from, DitSpec to, Map<String, Tensor> source) {
        this.from = from;
        this.to = to;
        this.source = source;
    }

    /** Refuses, as an IllegalArgumentException, a student that is no part of the teacher. */
    public static void requireFit(DitSpec from, DitSpec to) {
        if (from.modern() != to.modern()) {
            throw new IllegalArgumentException(
                    "init cut needs student.modern like the teacher's, which is " + from.modern());
        }
        if (!to.scalars().parts().containsAll(from.scalars().parts())) {
            throw new IllegalArgumentException("init cut needs a student that is told what its teacher is, "
                    + from.scalars().parts() + "; this one is told "
                    + to.scalars().parts());
        }
        if (to.outputs() % from.outputs() != 0) {
            throw new IllegalArgumentException("init cut needs a student with a multiple of the teacher's outputs, "
                    + from.outputs() + "; this one has " + to.outputs());
        }
        if (to.outputs() > 1 && from.learnSigma()) {
            throw new IllegalArgumentException("init cut needs a teacher without a learned variance for a student of "
                    + to.outputs() + " outputs");
        }
        if (from.hidden() / from.heads() != to.hidden() / to.heads()) {
            throw new IllegalArgumentException("init cut needs heads as wide as the teacher's, "
                    + from.hidden() / from.heads() + " values; the student's have " + to.hidden() / to.heads());
        }
        if (to.hidden() > from.hidden() || to.depth() > from.depth() || to.mlpHidden() > from.mlpHidden()) {
            throw new IllegalArgumentException("init cut needs a student no larger than its teacher in any direction");
        }
    }

    /** Whether a cut gives the student the layers that lead to its output as well. */
    public static boolean reachesOutput(DitSpec from, DitSpec to) {
        return from.patch() == to.patch();
    }

    /** Replaces the student's initial weights by a part of the teacher's. */
    public static void apply(Dit teacher, Dit student) {
        DitSpec from = teacher.spec();
        DitSpec to = student.spec();
        requireFit(from, to);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Cut cut = new Cut(from, to, teacher.state());
            cut.run();
            Map<String, Tensor> whole = new LinkedHashMap<>(student.state());
            whole.putAll(cut.cut);
            List<String> problems = student.load(whole);
            if (!problems.isEmpty()) {
                throw new IllegalStateException("the cut does not fit: " + problems);
            }
        }
    }

    private void run() {
        List<LayerMap.Pair> blocks = LayerMap.uniform(to.depth(), from.depth());
        Tensor stream = residualChannels(blocks);
        copy("pos_embed", Ops.indexSelect(positions(stream), 2, stream));
        if (reachesOutput(from, to)) {
            copy("x_embedder.proj.weight", pick("x_embedder.proj.weight", 0, stream));
            Tensor rows = outputRows(Device.of(stream));
            copy("final_layer.linear.weight", square("final_layer.linear.weight", rows, stream));
            copy("final_layer.linear.bias", pick("final_layer.linear.bias", 0, rows));
        }
        copy("x_embedder.proj.bias", pick("x_embedder.proj.bias", 0, stream));
        embedder("t_embedder.", stream);
        if (from.scalars().guidance()) {
            embedder("w_embedder.", stream);
        }
        if (from.scalars().hasEndTime()) {
            embedder("s_embedder.", stream);
        }
        copy("y_embedder.embedding_table.weight", pick("y_embedder.embedding_table.weight", 1, stream));
        modulation("final_layer.adaLN_modulation.1", "final_layer.adaLN_modulation.1", DitSpec.LAST_PARTS, stream);
        if (from.modern()) {
            copy("final_layer.norm_final.weight", pick("final_layer.norm_final.weight", 0, stream));
        }
        for (LayerMap.Pair pair : blocks) {
            block("blocks." + pair.teacher() + ".", "blocks." + pair.student() + ".", stream);
        }
    }

    /** Of which of the teacher's rows each row of the last product is a copy; a pixel's rows lie together, in them a head's. */
    private Tensor outputRows(Device device) {
        int teacher = from.outChannels();
        int student = to.outputs() == from.outputs() ? teacher : to.outChannels();
        int shares = to.outputs() / from.outputs();
        long[] rows = new long[to.patch() * to.patch() * student];
        for (int row = 0; row < rows.length; row++) {
            int pixel = row / student;
            int place = row % student;
            int head = place / from.channels() / shares;
            int channel = shares == 1 ? place : head * from.channels() + place % from.channels();
            rows[row] = (long) pixel * teacher + channel;
        }
        return Tensors.of(rows, device);
    }

    /** The teacher's table as it is where the student has the same grid, which need not be one of sines and cosines. */
    private Tensor positions(Tensor stream) {
        Tensor table = source.get("pos_embed");
        boolean sameGrid = from.height() / from.patch() == to.height() / to.patch()
                && from.width() / from.patch() == to.width() / to.patch();
        return sameGrid ? table : Regrid.positions(table, from, to, Device.of(stream));
    }

    private void embedder(String name, Tensor stream) {
        copy(name + "mlp.0.weight", pick(name + "mlp.0.weight", 0, stream));
        copy(name + "mlp.0.bias", pick(name + "mlp.0.bias", 0, stream));
        copy(name + "mlp.2.weight", square(name + "mlp.2.weight", stream, stream));
        copy(name + "mlp.2.bias", pick(name + "mlp.2.bias", 0, stream));
    }

    private void block(String wide, String narrow, Tensor stream) {
        int width = from.hidden() / from.heads();
        Tensor heads = places(top(headNorms(wide, width), to.heads()), width);
        Tensor qkv = Ops.cat(0, heads, Ops.addInteger(heads, from.hidden()), Ops.addInteger(heads, 2L * from.hidden()));
        copy(narrow + "attn.qkv.weight", square(wide + "attn.qkv.weight", qkv, stream));
        copy(narrow + "attn.qkv.bias", pick(wide + "attn.qkv.bias", 0, qkv));
        copy(narrow + "attn.proj.weight", square(wide + "attn.proj.weight", stream, heads));
        copy(narrow + "attn.proj.bias", pick(wide + "attn.proj.bias", 0, stream));
        String in = from.modern() ? "mlp.w12" : "mlp.fc1";
        String out = from.modern() ? "mlp.w3" : "mlp.fc2";
        Tensor units = places(top(columnNorms(wide + out + ".weight"), to.mlpHidden()), 1);
        Tensor rows = from.modern() ? Ops.cat(0, units, Ops.addInteger(units, from.mlpHidden())) : units;
        copy(narrow + in + ".weight", square(wide + in + ".weight", rows, stream));
        copy(narrow + in + ".bias", pick(wide + in + ".bias", 0, rows));
        copy(narrow + out + ".weight", square(wide + out + ".weight", stream, units));
        copy(narrow + out + ".bias", pick(wide + out + ".bias", 0, stream));
        modulation(wide + "adaLN_modulation.1", narrow + "adaLN_modulation.1", DitSpec.BLOCK_PARTS, stream);
        if (from.modern()) {
            copy(narrow + "norm1.weight", pick(wide + "norm1.weight", 0, stream));
            copy(narrow + "norm2.weight", pick(wide + "norm2.weight", 0, stream));
        }
    }

    /** Rows come in {@code parts} blocks of the stream's width. */
    private void modulation(String wide, String narrow, int parts, Tensor stream) {
        Tensor[] rows = new Tensor[parts];
        for (int i = 0; i < parts; i++) {
            rows[i] = Ops.addInteger(stream, (long) i * from.hidden());
        }
        Tensor all = Ops.cat(0, rows);
        copy(narrow + ".weight", square(wide + ".weight", all, stream));
        copy(narrow + ".bias", pick(wide + ".bias", 0, all));
    }

    /** The channels of the residual stream that are written with the largest joint norm. */
    private Tensor residualChannels(List<LayerMap.Pair> blocks) {
        float[] sum = new float[from.hidden()];
        List<String> writers = new ArrayList<>(List.of("x_embedder.proj.weight"));
        for (LayerMap.Pair pair : blocks) {
            writers.add("blocks." + pair.teacher() + ".attn.proj.weight");
            writers.add("blocks." + pair.teacher() + (from.modern() ? ".mlp.w3.weight" : ".mlp.fc2.weight"));
        }
        for (String name : writers) {
            Tensor flat = Ops.reshape(source.get(name), from.hidden(), -1);
            float[] squares = Tensors.floats(Ops.mean(Ops.square(flat), 1, false));
            for (int i = 0; i < sum.length; i++) {
                sum[i] += squares[i];
            }
        }
        return places(top(sum, to.hidden()), 1);
    }

    /** The norm of what each head writes. */
    private float[] headNorms(String block, int width) {
        float[] columns = columnNorms(block + "attn.proj.weight");
        float[] heads = new float[from.heads()];
        for (int i = 0; i < columns.length; i++) {
            heads[i / width] += columns[i];
        }
        return heads;
    }

    private float[] columnNorms(String name) {
        return Tensors.floats(Ops.sum(Ops.square(source.get(name)), 0, false));
    }

    /** The places of the {@code count} largest values, in rising order. */
    private static int[] top(float[] values, int count) {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -values[i]))
                .limit(count)
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    /** All places of groups of {@code width}. */
    private Tensor places(int[] groups, int width) {
        long[] all = new long[groups.length * width];
        for (int g = 0; g < groups.length; g++) {
            for (int i = 0; i < width; i++) {
                all[g * width + i] = (long) groups[g] * width + i;
            }
        }
        return Tensors.of(all, Device.of(source.values().iterator().next()));
    }

    private Tensor pick(String name, long dim, Tensor places) {
        return Ops.indexSelect(source.get(name), dim, places);
    }

    private Tensor square(String name, Tensor rows, Tensor columns) {
        return Ops.indexSelect(Ops.indexSelect(source.get(name), 0, rows), 1, columns);
    }

    private void copy(String name, Tensor tensor) {
        cut.put(name, tensor);
    }
}
