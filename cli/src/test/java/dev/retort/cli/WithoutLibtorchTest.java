package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import dev.retort.layout.LoraLayout;
import dev.retort.layout.LoraPair;
import dev.retort.report.JsonlLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only reads and rewrites files needs no libtorch, whose start takes longer than the work. */
class WithoutLibtorchTest {
    @TempDir
    private Path folder;

    private int processes;

    /** Runs a main method in a JVM of its own and returns which classes it loaded. */
    private List<String> loaded(Class<?> main, String... words) throws Exception {
        Path log = folder.resolve("classes-" + processes++);
        try (Child child = Child.start(main, List.of("-Xlog:class+load:file=" + log), Map.of(), words)) {
            child.finish();
        }
        return Files.readAllLines(log);
    }

    private void requireNone(Class<?> main, String... words) throws Exception {
        assertThat(loaded(main, words))
                .as(String.join(" ", words))
                .anyMatch(line -> line.contains("dev.retort."))
                .noneMatch(line -> line.contains("org.bytedeco."));
    }

    @Test
    void inspect_and_convert_load_no_class_of_it() throws Exception {
        Path model = TinyModel.ddpm(folder.resolve("model"));
        Path pipeline = TinyModel.pipeline(folder.resolve("pipeline"));
        TinyAutoencoder.save(pipeline.resolve("vae"), 4);
        String adapter = at("adapter.safetensors");
        LoraPair pair =
                LoraPair.of("blocks.0.attn.proj", new long[] {1, 16}, new float[16], new long[] {16, 1}, new float[16]);
        LoraLayout.PEFT.write(Path.of(adapter), "transformer", List.of(pair));
        List<List<String>> lines = new ArrayList<>();
        for (Path path : List.of(model, pipeline, pipeline.resolve("vae"))) {
            lines.add(List.of("inspect", path.toString()));
        }
        lines.add(List.of("inspect", model.resolve("model.safetensors").toString(), "--stats", "--heads", "2"));
        lines.add(List.of("convert", model.toString(), at("a.pt"), "--dtype", "bf16"));
        lines.add(List.of("lora", "inspect", adapter));
        lines.add(List.of("lora", "convert", adapter, at("k.safetensors"), "--to", "kohya"));
        lines.add(List.of(
                "lora",
                "convert",
                at("k.safetensors"),
                at("p.safetensors"),
                "--to",
                "peft",
                "--model",
                model.toString()));
        lines.add(List.of("convert", model.toString(), at("adapted"), "--lora", adapter));
        lines.add(List.of("lora", "merge", model.toString(), adapter, "--out", at("merged")));
        lines.add(List.of("convert", at("a.pt"), at("theirs"), "--to", "diffusers", "--heads", "2"));
        lines.add(List.of("convert", at("theirs"), at("ours")));
        lines.add(List.of("convert", at("a.pt"), at("turned"), "--family", "sit", "--heads", "2"));
        for (List<String> line : lines) {
            requireNone(Main.class, line.toArray(String[]::new));
        }
    }

    @Test
    void a_runs_log_is_read_without_it() throws Exception {
        Path log = folder.resolve("log.jsonl");
        try (JsonlLog writer = JsonlLog.create(log)) {
            writer.write("train", 32, Map.of("loss/diffusion", 0.5));
        }
        requireNone(Lines.class, log.toString());
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    /** Reads the log of a run. */
    static final class Lines {
        private Lines() {}

        public static void main(String[] args) {
            if (JsonlLog.read(Path.of(args[0])).size() != 1) {
                throw new IllegalStateException("the line is not there");
            }
        }
    }
}
