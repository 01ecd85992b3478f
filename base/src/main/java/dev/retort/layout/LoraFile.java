package dev.retort.layout;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileHash;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An adapter file (LoRA) of any layout, also of several mixed: read off its keys one by one, so that no part of it is passed over. What its
 * modules are called stays as it is in the file; {@link LoraModules#resolve} finds them in a network.
 */
public final class LoraFile implements AutoCloseable {
    /** What programs call the file of an adapter by default. */
    public static final String NAME = "pytorch_lora_weights.safetensors";

    private static final List<String> NAMES = List.of(NAME, "adapter_model.safetensors", "adapter_model.bin");

    /** The tensors of one module, as far as they were found. */
    private record Found(LoraKey first, Map<LoraKey.Role, LoraKey> keys) {}

    private final TensorFile file;
    private final Set<LoraLayout> layouts = EnumSet.noneOf(LoraLayout.class);
    private final List<LoraPair> pairs = new ArrayList<>();
    private String denoiser = "";

    private LoraFile(TensorFile file) {
        this.file = file;
        Optional<LoraScales> scales = LoraScales.of(file.path(), file.metadata());
        modules().values().forEach(found -> pairs.add(pair(found, scales)));
        if (pairs.isEmpty()) {
            throw refused("it is empty: it holds no tensors");
        }
    }

    /**
     * Opens a file, or the adapter of a folder.
     *
     * @throws RetortException of kind CHECKPOINT, naming the key and what is wrong with it: of no layout or another kind of adapter, half a
     *     pair, ranks that disagree
     */
    public static LoraFile open(Path path) {
        TensorFile file = TensorFiles.open(place(path));
        try {
            return new LoraFile(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** Whether the names of a file are those of an adapter; nothing is checked. */
    public static boolean mayBe(TensorFile file) {
        return !file.entries().isEmpty() && file.entries().keySet().stream().allMatch(name -> name.contains("lora"));
    }

    private static Path place(Path path) {
        if (!Files.isDirectory(path)) {
            return path;
        }
        return NAMES.stream()
                .map(path::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElse(path);
    }

    /** The file that is read. */
    public Path path() {
        return file.path();
    }

    /** SHA-256 of the file, in hex. */
    public String sha256() {
        return FileHash.sha256(file.files());
    }

    /** Whose spellings it has. */
    public Set<LoraLayout> layouts() {
        return layouts;
    }

    /** The adapters in the order of the file, read while this is open. */
    public List<LoraPair> pairs() {
        return List.copyOf(pairs);
    }

    /** The ranks that its modules have: {@code 4}, or {@code 4 to 16}. */
    public String ranks() {
        IntSummaryStatistics ranks = pairs.stream().mapToInt(LoraPair::rank).summaryStatistics();
        return ranks.getMin() == ranks.getMax()
                ? String.valueOf(ranks.getMin())
                : ranks.getMin() + " to " + ranks.getMax();
    }

    /** Which kind of network it is for, {@code unet} or {@code transformer}: as its keys begin, or where they do not say it, by its modules. */
    public String denoiser() {
        boolean said = denoiser.equals("unet") || denoiser.equals("transformer");
        boolean blocks =
                pairs.stream().anyMatch(pair -> pair.module().matches("(down|up|mid|input|output|middle)_block.*"));
        return said && !pairs.isEmpty() && !isKohya() ? denoiser : blocks ? "unet" : "transformer";
    }

    /** Whose names say {@code unet} of every denoiser. */
    private boolean isKohya() {
        return pairs.stream().anyMatch(LoraPair::underscored);
    }

    private Map<String, Found> modules() {
        Map<String, Found> modules = new LinkedHashMap<>();
        for (String name : file.entries().keySet()) {
            LoraKey key = LoraKey.parse(name, path());
            layouts.add(key.layout());
            if (key.component() == LoraComponent.DENOISER) {
                denoiser = key.prefix().replace("lora_", "");
            }
            Found found = modules.computeIfAbsent(
                    key.component() + (key.underscored() ? "_" : ".") + key.module(),
                    module -> new Found(key, new EnumMap<>(LoraKey.Role.class)));
            LoraKey before = found.keys().put(key.role(), key);
            if (before != null) {
                throw refused(
                        "'" + before.key() + "' and '" + name + "' are both the same half of one module's adapter");
            }
        }
        return modules;
    }

    private LoraPair pair(Found found, Optional<LoraScales> scales) {
        LoraKey down = half(found, LoraKey.Role.DOWN, "A (down)");
        LoraKey up = half(found, LoraKey.Role.UP, "B (up)");
        TensorEntry a = file.entry(down.key());
        TensorEntry b = file.entry(up.key());
        try {
            LoraPair pair = new LoraPair(
                    down.key(),
                    down.component(),
                    down.module(),
                    down.underscored(),
                    a.shape(),
                    b.shape(),
                    1,
                    () -> finite(down.key()),
                    () -> finite(up.key()));
            return pair.scaled(scale(found, pair.rank(), scales));
        } catch (IllegalArgumentException e) {
            throw refused(e.getMessage());
        }
    }

    private LoraKey half(Found found, LoraKey.Role role, String what) {
        LoraKey key = found.keys().get(role);
        if (key == null) {
            throw refused("'" + found.first().key() + "' has no counterpart: the module's " + what + " is missing");
        }
        return key;
    }

    private double scale(Found found, int rank, Optional<LoraScales> scales) {
        LoraKey alpha = found.keys().get(LoraKey.Role.ALPHA);
        if (alpha == null) {
            return scales.map(said ->
                            said.scale(found.first().prefix(), found.first().module(), rank))
                    .orElse(1.0);
        }
        if (scales.isPresent()) {
            throw refused("'" + alpha.key() + "' and the configuration of the PEFT library both say its strength");
        }
        if (file.entry(alpha.key()).elements() != 1) {
            throw refused("'" + file.entry(alpha.key()) + "' is not one number");
        }
        return finite(alpha.key())[0] / rank;
    }

    private float[] finite(String key) {
        float[] values = file.floats(key);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw refused("'" + key + "' has the value " + values[i] + " at place " + i);
            }
        }
        return values;
    }

    private RetortException refused(String why) {
        return new RetortException(
                Kind.CHECKPOINT, path() + " cannot be applied: " + why + "; fetch or write the adapter again");
    }

    @Override
    public void close() {
        file.close();
    }
}
