package dev.retort.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which files of repositories as they are on the hub are fetched. */
class SelectionTest {
    private static final String ID = "0".repeat(40);

    private static Selection of(String top, String... paths) {
        return Selection.of(
                Arrays.stream(paths)
                        .map(path -> new RemoteFile(path, 10, ID, ""))
                        .toList(),
                top);
    }

    private static List<String> chosen(String... paths) {
        return of("", paths).chosen().stream().map(RemoteFile::path).toList();
    }

    @Test
    void a_pipeline_comes_as_safetensors_once() {
        assertThat(chosen(
                        ".gitattributes",
                        "README.md",
                        "model_index.json",
                        "v1-5-pruned.ckpt",
                        "v1-5-pruned.safetensors",
                        "scheduler/scheduler_config.json",
                        "transformer/config.json",
                        "transformer/diffusion_pytorch_model.bin",
                        "transformer/diffusion_pytorch_model.safetensors",
                        "transformer/diffusion_pytorch_model.fp16.safetensors",
                        "transformer/diffusion_pytorch_model.fp16.bin",
                        "vae/config.json",
                        "vae/diffusion_pytorch_model.bin",
                        "vae/diffusion_flax_model.msgpack"))
                .containsExactly(
                        "README.md",
                        "model_index.json",
                        "scheduler/scheduler_config.json",
                        "transformer/config.json",
                        "transformer/diffusion_pytorch_model.safetensors",
                        "vae/config.json",
                        // the only form of these weights
                        "vae/diffusion_pytorch_model.bin");
    }

    @Test
    void shards_come_with_their_index_and_pickled_ones_stay_with_theirs() {
        assertThat(chosen(
                        "config.json",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json",
                        "model.fp16-00001-of-00001.safetensors",
                        "model.safetensors.index.fp16.json",
                        "pytorch_model-00001-of-00001.bin",
                        "pytorch_model.bin.index.json"))
                .containsExactly(
                        "config.json",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json");
    }

    @Test
    void pickles_of_other_weights_are_kept() {
        assertThat(chosen("DiT-XL-2-256x256.pt", "DiT-XL-2-512x512.pt", "vae.safetensors", "SiT.v1.5.pth"))
                .hasSize(4);
    }

    @Test
    void a_variant_that_is_alone_is_kept() {
        assertThat(chosen("unet/model.fp16.safetensors", "unet/model.fp16.bin"))
                .containsExactly("unet/model.fp16.safetensors");
    }

    @Test
    void the_sentence_counts_what_is_left_out_by_reason() {
        Selection selection = of("", "a.safetensors", "a.pt", "x.py", "y.png", "a.onnx", "a.bf16.safetensors");
        assertThat(selection.leftOutSentence(HubName.parse("hf:acme/dit")))
                .isEqualTo(
                        "Left out: the same weights in another file (a.pt, 10 B), variants of the weights (fp16 and the"
                                + " like) (a.bf16.safetensors, 10 B), weights for other frameworks (a.onnx, 10 B), what is neither"
                                + " weights nor configuration (2 files, 20 B); one of them comes by its name, hf:acme/dit/FILE");
        assertThat(of("", "a.safetensors").leftOutSentence(HubName.parse("hf:acme/dit")))
                .isEmpty();
    }

    @Test
    void the_top_is_the_folder_that_was_named() {
        Selection selection = of("sub", "sub/model_index.json", "sub/all.safetensors", "sub/vae/model.safetensors");
        assertThat(selection.chosen()).extracting(RemoteFile::path).doesNotContain("sub/all.safetensors");
    }
}
