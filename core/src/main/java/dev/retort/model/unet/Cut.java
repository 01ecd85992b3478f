package dev.retort.model.unet;

import dev.retort.card.EvenLayout;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetLayout;
import dev.retort.card.UNetSpec;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Cuts a student out of a teacher by blocks, layers and levels (BK-SDM, Kim et al. 2023), and by channels ({@link Narrowing}): what survives
 * keeps its weights. The embedder of a
 * scale of guidance that the teacher is not told stays as initialised: it begins at zero. Of a student with several heads each begins as the
 * teacher's, or as that one of them which speaks of the same part of the way.
 */
public final class Cut {
    private static final String GUIDANCE = "time_embedding.cond_proj.weight";
    private static final List<String> OUTPUT = List.of("conv_out.weight", "conv_out.bias");

    private Cut() {}

    /** Refuses, as an IllegalArgumentException, a student that is no part of the teacher. */
    public static void requireFit(UNetSpec from, UNetSpec to) {
        requireAlike(
                "convention",
                from.convention(),
                to.convention().withGroups(from.convention().normGroups()));
        requireAlike("channels of images", from.channels(), to.channels());
        requireAlike("states of texts", from.told().text(), to.told().text());
        requireAlike("pooled states", from.told().pooled(), to.told().pooled());
        requireOutputs(from, to);
        UNetLayout layout = EvenLayout.between(from, to);
        for (int i = 0; i < to.levels().size(); i++) {
            requireNarrower(
                    "level " + i, from, from.levels().get(i), to, to.levels().get(i));
        }
        UNetSpec wide = wide(from, to);
        Map<String, long[]> all = UNetLayers.of(from).shapes();
        UNetLayers.of(wide).shapes().forEach((name, shape) -> {
            String source = layout.source(name, from.levels().size());
            boolean own = OUTPUT.contains(name) || name.equals(GUIDANCE) && !all.containsKey(GUIDANCE);
            if (!own && !Arrays.equals(shape, all.get(source))) {
                throw new IllegalArgumentException("init cut would make " + name + " of shape " + Arrays.toString(shape)
                        + " of the teacher's " + source + ", which is " + Arrays.toString(all.get(source))
                        + "; choose the blocks of a part of the teacher");
            }
        });
    }

    /** Fewer channels in groups and heads of the same widths, so that it is the same share at each level. */
    private static void requireNarrower(
            String where, UNetSpec from, UNetSpec.Level teacher, UNetSpec to, UNetSpec.Level student) {
        if (student.channels() > teacher.channels()) {
            throw new IllegalArgumentException("init cut needs no more channels than the teacher's "
                    + teacher.channels() + " at " + where + "; the student has " + student.channels());
        }
        requireAlike(
                "channels in each head at " + where,
                teacher.channels() / teacher.heads(),
                student.channels() / student.heads());
        requireAlike(
                "channels in each group of a norm at " + where,
                teacher.channels() / from.convention().normGroups(),
                student.channels() / to.convention().normGroups());
    }

    /** The student with the teacher's channels. */
    private static UNetSpec wide(UNetSpec from, UNetSpec to) {
        List<UNetSpec.Level> levels = IntStream.range(0, to.levels().size())
                .mapToObj(i -> new UNetSpec.Level(
                        from.levels().get(i).channels(),
                        from.levels().get(i).heads(),
                        to.levels().get(i).down(),
                        to.levels().get(i).up()))
                .toList();
        return new UNetSpec(to.grid(), levels, to.middle(), to.told(), from.convention());
    }

    private static void requireAlike(String what, Object teacher, Object student) {
        if (!teacher.equals(student)) {
            throw new IllegalArgumentException(
                    "init cut needs " + what + " like the teacher's, " + teacher + "; the student's are " + student);
        }
    }

    private static void requireOutputs(UNetSpec from, UNetSpec to) {
        if (to.outputs() % from.outputs() != 0) {
            throw new IllegalArgumentException("init cut needs a student with a multiple of the teacher's outputs, "
                    + from.outputs() + "; this one has " + to.outputs());
        }
        if (to.learnSigma() && !from.learnSigma()) {
            throw new IllegalArgumentException(
                    "init cut needs a teacher with a learned variance for a student with one");
        }
    }

    /**
     * Replaces the student's initial weights by a part of the teacher's.
     *
     * @param student of the shape that the layout makes of the teacher
     * @param layout what is kept
     */
    public static void apply(UNet teacher, UNet student, UNetLayout layout) {
        UNetSpec from = teacher.spec();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            UNetSpec wide = wide(from, student.spec());
            Map<String, Tensor> source = teacher.state();
            Map<String, Tensor> part = new LinkedHashMap<>();
            for (String name : UNetLayers.of(wide).shapes().keySet()) {
                Tensor whole = source.get(layout.source(name, from.levels().size()));
                if (OUTPUT.contains(name)) {
                    part.put(name, Ops.indexSelect(whole, 0, outputRows(from, wide, Device.of(whole))));
                } else if (whole != null) {
                    part.put(name, whole);
                }
            }
            Map<String, Tensor> cut = new LinkedHashMap<>(student.state());
            cut.putAll(wide.equals(student.spec()) ? part : Narrowing.of(wide, student.spec(), part));
            List<String> problems = student.load(cut);
            if (!problems.isEmpty()) {
                throw new IllegalStateException("the cut does not fit: " + problems);
            }
        }
    }

    /** Of which of the teacher's rows each row of the last convolution is a copy. */
    private static Tensor outputRows(UNetSpec from, UNetSpec to, Device device) {
        int shares = to.outputs() / from.outputs();
        long[] rows = new long[to.grid().outChannels()];
        for (int row = 0; row < rows.length; row++) {
            int head = row / to.channels() / shares;
            rows[row] = (long) head * to.channels() + row % to.channels();
        }
        return Tensors.of(rows, device);
    }
}
