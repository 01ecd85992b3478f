package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline of the diffusers library where a command takes a model, not converted before. */
class ForeignModelTest {
    @TempDir
    private Path folder;

    private Path pipeline;

    @BeforeEach
    void save() {
        pipeline = TinyModel.pipeline(folder.resolve("pipeline"));
    }

    private Ran sample(Path model, String out, String... more) {
        return Ran.retort(Stream.concat(
                        Stream.of("sample", model.toString(), "--steps", "2", "--count", "3", "--out", at(out)),
                        Arrays.stream(more))
                .toArray(String[]::new));
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void a_pipeline_is_sampled_through_its_own_autoencoder_as_its_conversion_is() throws Exception {
        TinyAutoencoder.save(pipeline.resolve("vae"), 4);
        sample(pipeline, "straight.png").good();
        Ran.retort("convert", pipeline.toString(), at("own")).good();
        sample(folder.resolve("own"), "converted.png").good();
        assertThat(Pixels.of(folder.resolve("straight.png"))).isEqualTo(Pixels.of(folder.resolve("converted.png")));
        assertThat(ImageIO.read(folder.resolve("straight.png").toFile()).getHeight())
                .isEqualTo(32); // 16 pixels, doubled on the sheet
    }

    @Test
    void which_weights_of_a_file_are_sampled_is_said() throws Exception {
        TinyAutoencoder.save(pipeline.resolve("vae"), 4);
        assertThat(sample(pipeline, "plain.png").good().err()).doesNotContain("took the");
        Path weights = pipeline.resolve("transformer/diffusion_pytorch_model.safetensors");
        SafetensorsWriter both = new SafetensorsWriter();
        try (TensorFile file = TensorFiles.open(weights)) {
            for (String which : List.of("model.", "ema.")) {
                file.entries()
                        .values()
                        .forEach(entry -> both.add(which + entry.name(), entry.shape(), file.floats(entry.name())));
            }
            both.write(weights);
        }
        Ran ran = sample(pipeline, "average.png").good();
        assertThat(ran.err())
                .contains("tensors of 'ema'", "an average of the weights; left out the other weights, 'model'");
        assertThat(sample(pipeline, "quiet.png", "--quiet").good().err()).isEmpty();
    }

    @Test
    void without_an_autoencoder_the_user_is_asked_for_it_and_a_wrong_one_is_refused() {
        Ran ran = sample(pipeline, "none.png");
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("4 channels, which are latents", "--vae");
        Path wrong = TinyAutoencoder.save(folder.resolve("wrong"), 8);
        ran = sample(pipeline, "none.png", "--vae", wrong.toString());
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("latents of 8 channels, the model draws 4");
        assertThat(folder.resolve("none.png")).doesNotExist();
        Path right = TinyAutoencoder.save(folder.resolve("right"), 4);
        sample(pipeline, "some.png", "--vae", right.toString()).good();
        assertThat(folder.resolve("some.png")).exists();
    }

    private void scheduler(String json) throws Exception {
        Files.writeString(pipeline.resolve("scheduler/scheduler_config.json"), json);
    }

    @Test
    void inspect_shows_all_that_decides_a_sample_as_the_schedulers_class_has_it() throws Exception {
        TinyAutoencoder.save(pipeline.resolve("vae"), 4);
        scheduler("{\"_class_name\": \"DPMSolverMultistepScheduler\", \"beta_end\": 0.03, \"use_beta_sigmas\": true}");
        assertThat(Ran.retort("inspect", pipeline.toString()).good().out())
                .contains(
                        "linear betas 0.0001 to 0.03, 1000 levels, predicts epsilon, predicted sample not cut",
                        "dpmpp-2m, 50 steps of the grid (not built here), guidance 4.0",
                        "drawn from only on a grid that is named: that of DPMSolverMultistepScheduler with use_beta_sigmas true",
                        "Latents   of the autoencoder AutoencoderKL (4 latent channels");
        scheduler("{\"_class_name\": \"DDIMScheduler\", \"timestep_spacing\": \"trailing\"}");
        assertThat(Ran.retort("inspect", pipeline.toString()).good().out())
                .contains("predicted sample cut to ±1.0", "though latents usually exceed that")
                .doesNotContain("drawn from only");
    }

    @Test
    void a_scheduler_that_is_not_built_here_is_refused_where_a_picture_is_drawn_by_it_alone() throws Exception {
        TinyAutoencoder.save(pipeline.resolve("vae"), 4);
        scheduler("{\"_class_name\": \"KDPM2DiscreteScheduler\", \"use_beta_sigmas\": true}");
        sample(pipeline, "none.png").refused(7, "is that of KDPM2DiscreteScheduler, which is not built here; name");
        assertThat(sample(pipeline, "none.png").err())
                .contains("of which heun comes nearest (option --solver)")
                .doesNotContain("change one of them");
        sample(pipeline, "none.png", "--solver", "heun")
                .refused(7, "use_beta_sigmas true (expected false), which are not built here", "(option --grid)");
        assertThat(folder.resolve("none.png")).doesNotExist();
        sample(pipeline, "some.png", "--solver", "heun", "--grid", "karras").good();
        Path ours = folder.resolve("ours");
        Ran.retort("convert", pipeline.toString(), ours.toString()).good();
        sample(ours, "none.png").refused(7, "is that of KDPM2DiscreteScheduler, which is not built here; name");
    }

    @Test
    void a_damaged_configuration_is_an_error_of_inspect_too_after_what_it_could_read() throws Exception {
        scheduler("{\"_class_name\": \"DDIMScheduler\", \"beta_start\": -0.1}");
        Ran ran = Ran.retort("inspect", pipeline.toString());
        assertThat(ran.exitCode()).isEqualTo(7);
        assertThat(ran.err()).contains("scheduler_config.json: beta_start is -0.1, expected above 0 and below 1");
        assertThat(ran.out()).contains("Tensors");
        sample(pipeline, "none.png").refused(7, "scheduler_config.json: beta_start is -0.1");
    }

    @Test
    void inspect_names_a_network_whose_autoencoder_is_damaged() throws Exception {
        Path vae = TinyAutoencoder.save(pipeline.resolve("vae"), 4);
        Files.delete(vae.resolve("diffusion_pytorch_model.safetensors"));
        assertThat(Ran.retort("inspect", pipeline.toString()).good().out())
                .contains("DiT-2x16x2/2 (diffusers keys)", "its autoencoder cannot be used: ", "it holds no weights");
    }

    @Test
    void inspect_knows_an_autoencoder() {
        Path vae = TinyAutoencoder.save(folder.resolve("vae"), 4);
        Ran ran = Ran.retort("inspect", vae.toString(), "--keys").good();
        assertThat(ran.out())
                .contains("autoencoder AutoencoderKL (4 latent channels", "sha256 ", "encoder.conv_in.weight");
        assertThat(ran.err()).contains("--vae " + vae);
        assertThat(Ran.retort("inspect", vae.toString(), "--json").good().out()).contains("\"latentChannels\"");
    }

    @Test
    void what_is_no_checkpoint_is_told_in_one_sentence() throws Exception {
        Path text = Files.writeString(folder.resolve("notes.txt"), "no weights");
        Ran ran = sample(text, "none.png");
        assertThat(ran.exitCode()).isEqualTo(7);
        assertThat(ran.err()).contains("notes.txt").doesNotContain("\tat ");
        ran = sample(folder.resolve("nowhere"), "none.png");
        assertThat(ran.exitCode()).isEqualTo(7);
        assertThat(ran.err()).contains("nowhere does not exist", "diffusers folder");
    }
}
