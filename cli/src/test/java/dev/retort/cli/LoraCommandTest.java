package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ModelCard;
import dev.retort.card.PictureCard;
import dev.retort.io.FileHash;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.LoraLayout;
import dev.retort.layout.LoraPair;
import dev.retort.layout.ModelFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Adapters by commands. */
class LoraCommandTest {
    @TempDir
    private Path folder;

    private String model;
    private String adapter;

    @BeforeEach
    void a_model_and_an_adapter() {
        model = TinyModel.trained(folder.resolve("model")).toString();
        adapter = at("adapter.safetensors");
        LoraLayout.PEFT.write(
                Path.of(adapter),
                "transformer",
                List.of(pair("blocks.0.attn.qkv", 2, 8, 24), pair("blocks.0.mlp.fc1", 1, 8, 16)));
    }

    private static LoraPair pair(String module, int rank, int in, int out) {
        Random random = new Random(module.hashCode());
        float[] a = new float[rank * in];
        float[] b = new float[out * rank];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) random.nextGaussian();
        }
        return LoraPair.of(module, new long[] {rank, in}, a, new long[] {out, rank}, b);
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    private byte[] bytes(String name) throws Exception {
        return Files.readAllBytes(folder.resolve(name));
    }

    private int[] pixels(String name) throws Exception {
        return Pixels.of(folder.resolve(name));
    }

    private Ran sample(String name, String... words) {
        String[] all = {"sample", words[0], "--count", "3", "--device", "cpu", "--precision", "fp32", "--out", at(name)
        };
        if (words.length == 1) {
            return Ran.retort(all);
        }
        String[] more = new String[all.length + words.length - 1];
        System.arraycopy(all, 0, more, 0, all.length);
        System.arraycopy(words, 1, more, all.length, words.length - 1);
        return Ran.retort(more);
    }

    private static void requireClose(String one, String other, double most) {
        try (SafetensorsFile a = SafetensorsFile.open(Path.of(one, "model.safetensors"));
                SafetensorsFile b = SafetensorsFile.open(Path.of(other, "model.safetensors"))) {
            for (String name : a.entries().keySet()) {
                assertThat(a.floats(name)).as(name).containsExactly(b.floats(name), within((float) most));
            }
        }
    }

    @Test
    void sampling_with_an_adapter_draws_what_the_merged_model_draws_and_taken_off_the_model_is_as_it_was()
            throws Exception {
        Ran merged = Ran.retort("lora", "merge", model, adapter + ":0.5", "--out", at("merged"))
                .good();
        assertThat(merged.out().strip()).isEqualTo(at("merged"));
        assertThat(merged.err()).contains(adapter + ": 2 of 2 modules, rank 1 to 2, weight 0.5", "Next: retort sample");
        assertThat(ModelFiles.card(folder.resolve("merged")).provenance())
                .containsEntry(ModelCard.ADAPTERS, "adapter.safetensors:0.5");
        sample("merged.png", at("merged")).good();
        Ran with = sample("with.png", model, "--lora", adapter + ":0.2", "--lora", adapter + ":0.3")
                .good();
        assertThat(with.err()).contains("weight 0.2", "weight 0.3");
        sample("without.png", model).good();
        assertThat(pixels("with.png")).isEqualTo(pixels("merged.png")).isNotEqualTo(pixels("without.png"));
        Ran.retort("lora", "merge", at("merged"), adapter + ":-0.5", "--out", at("back"))
                .good();
        requireClose(at("back"), model, 1e-6);
        Ran.retort("lora", "merge", model, adapter, "--out", at("back")).refused(2, "exists", "--force");
    }

    @Test
    void other_commands_take_the_adapter_likewise() throws Exception {
        Ran.retort("lora", "merge", model, adapter, "--out", at("merged")).good();
        Ran.retort("convert", model, at("converted"), "--lora", adapter).good();
        requireClose(at("converted"), at("merged"), 0);
        Ran.retort("export", model, "--out", at("e.onnx"), "--lora", adapter).good();
        Ran.retort("export", at("merged"), "--out", at("m.onnx")).good();
        assertThat(bytes("e.onnx")).isEqualTo(bytes("m.onnx"));
        Ran.retort("quantize", model, "w8", "--out", at("q"), "--lora", adapter).good();
        Ran.retort("quantize", at("merged"), "w8", "--out", at("qm")).good();
        assertThat(bytes("q/model.safetensors")).isEqualTo(bytes("qm/model.safetensors"));
        sample("x.png", at("q"), "--lora", adapter).refused(7, "is quantised", "cannot take an adapter");
    }

    @Test
    void a_model_is_judged_with_its_adapter() throws Exception {
        String data = CompareCommandTest.pictures(folder.resolve("pictures")).toString();
        Ran.retort("lora", "merge", model, adapter, "--out", at("merged")).good();
        String[] words = {
            "--data",
            data,
            "--samples",
            "70",
            "--rounds",
            "0",
            "--json",
            "--device",
            "cpu",
            "--precision",
            "fp32",
            "--extractor",
            "pixels"
        };
        assertThat(score(words, "evaluate", model, "--lora", adapter))
                .isEqualTo(score(words, "evaluate", at("merged")))
                .isNotEqualTo(score(words, "evaluate", model));
    }

    private static double score(String[] words, String... first) {
        String[] all = new String[words.length + first.length];
        System.arraycopy(first, 0, all, 0, first.length);
        System.arraycopy(words, 0, all, first.length, words.length);
        return JsonMapper.shared()
                .readTree(Ran.retort(all).good().out())
                .at("/models/0/values/FD-PixelPCA64@70")
                .asDouble();
    }

    @Test
    void what_is_extracted_is_what_was_merged() throws Exception {
        Ran.retort("lora", "merge", model, adapter, "--out", at("merged")).good();
        Ran ran = Ran.retort("lora", "extract", model, at("merged"), "--rank", "2", "--out", at("diff.safetensors"))
                .good();
        assertThat(ran.out()).containsPattern("2 +100\\.00 %");
        assertThat(ran.err()).contains("2 modules in " + at("diff.safetensors"));
        Ran.retort("lora", "merge", model, at("diff.safetensors"), "--out", at("again"))
                .good();
        requireClose(at("again"), at("merged"), 1e-5);
        Ran.retort("lora", "extract", model, model, "--rank", "2", "--out", at("none.safetensors"))
                .refused(7, "nothing to extract");
        assertThat(folder.resolve("none.safetensors")).doesNotExist();
    }

    @Test
    void layouts_are_converted_and_low_lines_want_the_model() throws Exception {
        Ran.retort("lora", "convert", adapter, at("k.safetensors"), "--to", "kohya")
                .good();
        Ran.retort("lora", "convert", at("k.safetensors"), at("p.safetensors"), "--to", "peft")
                .refused(2, "low lines", "(option --model)");
        Ran.retort("lora", "convert", at("k.safetensors"), at("p.safetensors"), "--to", "peft", "--model", model)
                .good();
        assertThat(bytes("p.safetensors")).isEqualTo(bytes("adapter.safetensors"));
        Ran split = Ran.retort(
                        "lora",
                        "convert",
                        adapter,
                        at("d.safetensors"),
                        "--to",
                        "diffusers",
                        "--model",
                        model,
                        "--json")
                .good();
        assertThat(JsonMapper.shared().readTree(split.out()).get("modules").asInt())
                .isEqualTo(4); // q, k and v apart
        Ran.retort("lora", "merge", model, adapter, "--out", at("one")).good();
        Ran.retort("lora", "merge", model, at("d.safetensors"), "--out", at("other"))
                .good();
        requireClose(at("one"), at("other"), 0);
        Ran.retort("lora", "convert", adapter, at("x.safetensors"), "--to", "lycoris")
                .refused(2, "peft, diffusers, kohya");
    }

    @Test
    void an_adapter_is_looked_at() {
        Ran ran = Ran.retort("lora", "inspect", adapter).good();
        assertThat(ran.out()).containsPattern("blocks\\.0\\.attn\\.qkv +the denoiser +2 +1\\.000 +24 x 8 +[0-9.]+");
        assertThat(ran.err()).contains("2 modules, rank 1 to 2, layout peft");
        JsonNode json = JsonMapper.shared()
                .readTree(
                        Ran.retort("lora", "inspect", adapter, "--json").good().out());
        assertThat(json.at("/modules/0/norm").asDouble()).isPositive();
        assertThat(Ran.retort("inspect", adapter).good().out()).contains("it is an adapter (LoRA)");
        assertThat(Ran.retort("lora").good().out()).contains("retort lora merge", "extract");
    }

    @Test
    void a_picture_names_its_adapters_and_is_drawn_again_only_with_them() throws Exception {
        sample("with.png", model, "--lora", adapter + ":0.5").good();
        PictureCard card = PictureCard.read(folder.resolve("with.png"));
        String sha256 = FileHash.sha256(List.of(Path.of(adapter)));
        assertThat(card.loras()).containsExactly(new PictureCard.Lora(adapter, sha256, 0.5));
        assertThat(Ran.retort("inspect", at("with.png")).good().out()).contains(sha256);

        like("again.png").refused(2, "with.png was drawn with", sha256, "no --lora is given", "--lora " + adapter);
        String moved = at("moved.safetensors");
        Files.copy(Path.of(adapter), Path.of(moved));
        like("again.png", "--lora", moved + ":0.5").good();
        assertThat(pixels("again.png")).isEqualTo(pixels("with.png"));

        String other = at("other.safetensors");
        LoraLayout.PEFT.write(Path.of(other), "transformer", List.of(pair("blocks.0.mlp.fc1", 1, 8, 16)));
        like("x.png", "--lora", other + ":0.5").refused(2, "but given is the adapter " + other);
        like("x.png", "--lora", adapter).refused(2, "of weight 1.0; give --lora " + adapter + ":0.5");
        assertThat(folder.resolve("x.png")).doesNotExist();
    }

    @Test
    void a_picture_drawn_without_adapters_says_none_and_one_given_is_said() throws Exception {
        sample("with.png", model).good();
        assertThat(Ran.retort("inspect", at("with.png"), "--json").good().out()).doesNotContain("loras");
        assertThat(like("plain.png").good().err()).doesNotContain("adapter");
        assertThat(pixels("plain.png")).isEqualTo(pixels("with.png"));
        assertThat(like("changed.png", "--lora", adapter).good().err()).contains("was drawn without an adapter");
    }

    private Ran like(String name, String... more) {
        return Ran.retort(Stream.concat(
                        Stream.of("sample", "--like", at("with.png"), "--count", "3", "--device", "cpu"),
                        Stream.concat(Stream.of("--precision", "fp32", "--out", at(name)), Stream.of(more)))
                .toArray(String[]::new));
    }

    @Test
    void what_does_not_fit_or_is_none_is_refused() {
        sample("x.png", model, "--lora", at("nothing.safetensors")).refused(7, "nothing.safetensors");
        sample("x.png", model, "--lora", model + "/model.safetensors").refused(7, "is no LoRA");
        Ran.retort("lora", "inspect", model + "/model.safetensors").refused(7, "has none of the endings");
        assertThat(folder.resolve("x.png")).doesNotExist();
    }
}
